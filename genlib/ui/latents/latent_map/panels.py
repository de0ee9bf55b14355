"""The controls of the latent map, its panels, and three epochs next to each other.

Panels show the clicked digit, the lassoed ones and new ones.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from genlib.explore import neighbours
from genlib.explore.neighbours import Accuracy
from genlib.explore.projection import Array
from genlib.store.checkpoint import Info
from genlib.ui.components.draw import draw
from genlib.ui.components.latent_map import Cloud, Selection, Stars, latent_map, selected
from genlib.ui.kit.images import grid_image, picture, to_uint8
from genlib.ui.kit.pickers import choose, download, pick_model
from genlib.ui.kit.plain import note_of, plain
from genlib.ui.latents.latent_map import data
from genlib.ui.latents.latent_map.data import Points
from genlib.ui.latents.latent_map.flow import Choice, Flat

SHOWN_NEIGHBOURS = 8
SHOWN_LASSOED = 60
MAX_SAMPLES = 50


def percent(accuracy: Accuracy) -> str:
    """An accuracy with its standard error, in percent."""
    return f"{100 * accuracy.value:.1f} ± {100 * accuracy.stderr:.1f}%"


def show_accuracies(latents: Accuracy, pixels: Accuracy, flat: Accuracy | None) -> None:
    """Three numbers that say how well classes separate though no label was used in training."""
    st.metric(
        "10-NN accuracy of the latents",
        percent(latents),
        help="Each code is classified by a vote of its 10 nearest codes, leaving itself out. The "
        f"share that is right, ± one standard error, over n = {latents.n:,} test images. Training "
        "used no labels, except to choose classes: whatever is above chance, the codes found by "
        "themselves.",
    )
    rows = [f"of the pixels themselves: **{percent(pixels)}**"]
    if flat is not None:
        rows.append(f"of the flat map: **{percent(flat)}**")
    st.caption("The same vote  \n" + "  \n".join(rows))


def show_side(
    info: Info,
    choice: Choice,
    z: Array,
    flat: Flat | None,
    selection: Selection,
    near: NDArray[np.int64],
) -> Stars | None:
    """All panels next to the map of one epoch's codes z (n, d); returns new points, if any."""
    some = choice.points
    done = flat is not None and flat.ready
    show_accuracies(
        data.accuracy(info, choice.n),
        data.pixel_accuracy(some.name, some),
        data.map_accuracy(flat.key, flat.positions, some.labels) if flat and done else None,
    )
    clicked, lassoed, new = st.tabs(["Digit", "Lasso", "New points"])
    with clicked:
        show_picked(info, some, z, selection.picked, near)
    with lassoed:
        show_lassoed(info, some, z, selection.lassoed)
    with new:
        images = new_points(info, some.pictures.shape[1:])
        if images is None:
            return None
        if flat is None or flat.place is None:
            st.caption("New points are placed as soon as the map is finished.")
            return None
        return stars_of(images, flat.place(data.embed(info, images)))


def nearest_codes(z: Array, picked: int | None) -> NDArray[np.int64]:
    """The points whose codes are nearest to the picked one's, nearest first."""
    if picked is None:
        return np.zeros(0, np.int64)
    others = np.flatnonzero(np.arange(len(z)) != picked)
    found = neighbours.nearest(z[[picked]], z[others], min(SHOWN_NEIGHBOURS, len(others)))
    return others[found[0]]


def show_picked(
    info: Info, some: Points, z: Array, picked: int | None, near: NDArray[np.int64]
) -> None:
    """The clicked digit, its reconstruction and its nearest neighbours among the codes."""
    if picked is None:
        st.caption(
            ":material/touch_app: Click a point: its picture, what the model makes of it, and the "
            "digits whose codes are nearest."
        )
        return
    label = some.classes[some.labels[picked]]
    image = some.images([picked])
    left, right = st.columns(2)
    picture(image[0], f"{label}, test image {some.numbers[picked]}", 112, left)
    x_hat = data.reconstruct(info, image)
    if x_hat is None:
        right.caption("This model makes no reconstructions.")
    else:
        error = float(((x_hat - image.numpy()) ** 2).sum())
        picture(x_hat[0], f"reconstruction, squared error {error:.1f}", 112, right)
    same = int((some.labels[near] == some.labels[picked]).sum())
    st.caption(f"Nearest codes, nearest first: {same} of {len(near)} are a {plain(label)} too.")
    picture(grid_image(some.pictures[near], 4, 2), "", 236)
    far = np.linalg.norm(z[near] - z[picked], axis=1)
    st.caption(f"Distances in latent space {far[0]:.2f} to {far[-1]:.2f}.")


def show_lassoed(info: Info, some: Points, z: Array, lassoed: tuple[int, ...]) -> None:
    """The lassoed digits, how many of each class, and their two kinds of mean."""
    if not lassoed:
        st.caption(
            ":material/lasso_select: Press Lasso, or hold Shift, and draw around points: you see "
            "which digits they are, and their mean."
        )
        return
    chosen = list(lassoed)
    counts = Counter(some.classes[c] for c in some.labels[chosen])
    st.markdown(
        f"**{len(chosen):,} digits**: "
        + ", ".join(f"{n} × {plain(c)}" for c, n in counts.most_common())
    )
    picture(grid_image(some.pictures[chosen[:SHOWN_LASSOED]], 10, 1), "", 288)
    if len(chosen) > SHOWN_LASSOED:
        st.caption(f"The first {SHOWN_LASSOED} of them.")
    left, right = st.columns(2)
    picture(some.images(chosen).mean(0), "mean of the pictures", 112, left)
    decoded = data.decode(info, z[chosen].mean(axis=0, keepdims=True))
    if decoded is not None:
        picture(decoded[0], "decoded mean of the codes", 112, right)


def new_points(info: Info, shape: tuple[int, ...]) -> torch.Tensor | None:
    """Controls for points that are not in the test set; images (m, C, H, W), or None."""
    ways = {"none": "None", "draw": "Draw a digit", "samples": "Samples"}
    way = choose(
        "Place on the map",
        ways,
        "map.new",
        "New points are encoded by the model and shown as yellow stars where their codes "
        "belong. Samples are pictures that the model makes up.",
    )
    if way == "draw":
        if shape != (1, 28, 28):
            st.caption("Drawing needs a model of grey 28×28 images.")
            return None
        ink = draw("map.draw", size=200)
        return None if ink is None else torch.from_numpy(ink)[None, None]
    if way == "samples":
        return _samples(info)
    return None


def _samples(info: Info) -> torch.Tensor | None:
    able = "Samples" in info.capabilities
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    count = left.slider(
        "Samples",
        1,
        MAX_SAMPLES,
        20,
        key="map.samples",
        bind="query-params",
        disabled=not able,
        help="How many pictures the model draws from z ~ N(0, I) and encodes again.",
    )
    again = right.button(
        "Again", icon=":material/casino:", disabled=not able, help="Draw other ones"
    )
    seed: int = st.session_state.setdefault("map.sample_seed", 0)
    if again:
        st.session_state["map.sample_seed"] = seed = seed + 1
    if not able:
        st.caption("This model has no distribution to sample from: pick a VAE.")
        return None
    drawn = data.samples(info, count, seed)
    picture(grid_image(drawn, 10, 1), "", 288)
    return torch.from_numpy(drawn)


def stars_of(images: torch.Tensor, positions: Array) -> Stars:
    """Stars for images (m, C, H, W) at positions (m, 2)."""
    pictures = np.stack([to_uint8(image.mean(0)) for image in images])
    name = "your drawing" if len(images) == 1 else "sample"
    return Stars(positions, pictures, name)


def coordinates(some: Points, positions: Array) -> bytes:
    """The map as CSV: test image, class, x, y."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["test_image", "class", "x", "y"])
    for number, label, (x, y) in zip(some.numbers, some.labels, positions, strict=True):
        writer.writerow([int(number), some.classes[label], f"{x:.6g}", f"{y:.6g}"])
    return text.getvalue().encode()


def cloud(choice: Choice, epoch: int, flat: Flat, pictures: str, codes: str, file: str) -> Cloud:
    """The points of a map and what they are; pictures, codes: names in the page's store."""
    some, last = choice.points, choice.last
    axes = {"PCA": ("PC 1", "PC 2"), "Latents": ("z₁", "z₂")}.get(choice.kind)
    title = f"{last.name}, epoch {epoch}, {choice.kind}" + ("" if flat.ready else ", not finished")
    return Cloud(
        flat.positions,
        some.labels,
        some.numbers,
        some.classes,
        space=f"{choice.kind}:{last.path}",
        pictures=pictures,
        codes=codes,
        linear=flat.linear,
        axes=axes,
        title=title,
        file=file,
    )


def download_coordinates(some: Points, flat: Flat | None, file: str) -> None:
    """A button that saves where the points are, once the map is finished."""
    made = flat if flat is not None and flat.ready else None
    download(
        "Coordinates (CSV)",
        b"" if made is None else lambda: coordinates(some, made.positions),
        file,
        "Test image, class, x and y of every point."
        + (" Ready when the map is finished." if made is None else ""),
        key="map.csv",
        disabled=made is None,
    )


MANY = (500, 1000, 2000, 5000, 10_000)


def pick_choice() -> Choice:
    """Draw the controls and return what they say; stops the page without a model."""
    last = pick_model("Encodes", key="map.model", default="vae-20")
    flat_already = last.config.get("latent_dim") == 2
    kinds = [k for k in ("Latents", "t-SNE", "PCA") if k != "Latents" or flat_already]
    kind = choose(
        "Flatten by",
        kinds,
        "map.by",
        "t-SNE keeps nearby codes together; large distances mean little. PCA projects the codes "
        "onto the plane of largest variance. Models with two latents need neither: their latents "
        "are shown as they are.",
    )
    third, fourth = st.columns(2, vertical_alignment="bottom")
    n = third.selectbox(
        "Points",
        MANY,
        index=2,
        key="map.points",
        bind="query-params",
        help="Test images on the map. t-SNE of 2,000 takes seconds, of 10,000 about a minute.",
    )
    perplexity, seed = _tsne_settings(fourth, kind == "t-SNE")
    some = data.points(last, int(n))
    if some.note:
        st.caption(f":material/info: {note_of(some)}")
    return Choice(last, data.epochs(last), str(kind), some, int(n), perplexity, seed)


def _tsne_settings(where: DeltaGenerator, on: bool) -> tuple[float, int]:
    """Perplexity and seed; disabled where the map isn't a t-SNE."""
    with where.popover("t-SNE", icon=":material/tune:", width="stretch"):
        perplexity = st.slider(
            "Perplexity",
            5,
            100,
            30,
            key="map.perplexity",
            bind="query-params",
            disabled=not on,
            help="About how many neighbours each point should keep near: small shows fine grain, "
            "large the whole. " + ("" if on else "Only t-SNE has one."),
        )
        seed = st.number_input(
            "Seed",
            0,
            9999,
            0,
            key="map.seed",
            bind="query-params",
            disabled=not on,
            help="Seed of the neighbour search: the same seed gives the same map.",
        )
    return float(perplexity), int(seed)


THREE_EPOCHS = "Epochs 0, 5 and 10 next to each other, as in the lecture."
NOT_ALL_THERE = (
    "With these settings the maps of three epochs are not all there. They come with vae-20, ae-30 "
    "and dae-500 for 2,000 points, perplexity 30 and seed 0; PCA is always there."
)


def three(key: str, choice: Choice, maps: dict[int, Flat], pictures: str) -> None:
    """Draw the maps side by side; a point that is picked in one is marked in each."""
    picked, titles = _picked_last(key, choice, list(maps)), {}
    with st.container(key="tall"):  # on a phone the maps stand below each other
        for column, (epoch, flat) in zip(st.columns(len(maps)), maps.items(), strict=True):
            with column:
                titles[epoch] = st.empty()
                titles[epoch].markdown(f"**Epoch {epoch}**")
                file = f"{choice.last.name}-epoch-{epoch}-{choice.kind}"
                own = cloud(choice, epoch, flat, pictures, "", file)
                where = f"{key}.{epoch}"
                latent_map(where, replace(own, pane=True), selection=Selection(picked))
    st.caption(_how_made(choice, list(maps)))
    # The numbers take a moment the first time: the maps don't wait for them.
    for epoch, title in titles.items():
        accuracy = percent(data.accuracy(choice.epochs[epoch], choice.n))
        title.markdown(f"**Epoch {epoch}** · 10-NN {accuracy}")


def _how_made(choice: Choice, epochs: list[int]) -> str:
    """Whether the maps were made independently of each other, or not."""
    last = max(choice.epochs)
    if choice.kind == "Latents":
        return "The two latents as they are."
    if choice.kind == "PCA":
        return f"Each epoch's own plane, turned onto that of epoch {last}."
    said = f"**Aligned**: each map starts from that of epoch {last}, so that most classes stay "
    said += "near their places"
    if last in epochs:
        said += f"; the map of epoch {last} is **independent**"
    return f"{said}. The 10-NN accuracy is of the codes, and doesn't depend on the maps."


def _picked_last(key: str, choice: Choice, epochs: list[int]) -> int | None:
    """The point that was clicked last, in whichever map."""
    numbers = choice.points.numbers
    now = {e: selected(f"{key}.{e}", numbers).picked for e in epochs}
    before: dict[int, int | None] = st.session_state.get(f"{key}.before", {})
    changed = [e for e in epochs if now[e] != before.get(e)]
    st.session_state[f"{key}.before"] = now
    if changed:
        st.session_state[f"{key}.picked"] = now[changed[-1]]
    return st.session_state.get(f"{key}.picked")
