"""The GAN page's views of one trained model: samples, walk, D's verdict, and the two players."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from genlib.data.datasets import to_float
from genlib.explore.architecture import diagram
from genlib.models.capabilities import Decodes
from genlib.plots.adversarial import Mark, score_figure
from genlib.store.checkpoint import Info
from genlib.ui.adversarial.gan import data as gan_data
from genlib.ui.adversarial.gan.subject import Subject, pick_subject
from genlib.ui.components import history
from genlib.ui.components.architecture import architecture
from genlib.ui.components.decoder_store import decoder_store
from genlib.ui.components.digit_picker import pick_digit
from genlib.ui.components.walk import endless_walk
from genlib.ui.kit import images, links, loading
from genlib.ui.kit.columns import side_by_side
from genlib.ui.kit.pickers import choose, download
from genlib.ui.kit.picture_table import PictureRow, picture_table
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import wait_for_drawing
from genlib.ui.kit.web import component, keep, said

KEY = "gan"
COUNTS = (25, 49, 100)
NEIGHBOURS = 5
JUDGED, HISTOGRAMS = 112, 330  # pixels: side of the judged image, height of the plot
COPY = 0.25  # of the typical distance: so near a training image only a copy comes


def seed() -> int:
    """The seed of z on this page."""
    return links.number(f"{KEY}.seed")


def new_z(why_not: str = "") -> None:
    """The button that draws other z for every view; grey where there is a reason why not."""
    help = why_not or "Draw other z ~ N(0, I); the link holds their seed."
    gan_data.new_z(KEY, help, disabled=bool(why_not))


def samples(info: Info, controls: DeltaGenerator) -> None:
    """A grid of samples, and next to it the training images nearest to the chosen one."""
    with controls:
        count = choose(
            "Samples", COUNTS, f"{KEY}.count", "How many draws of z are shown.", default=49
        )
        new_z()
        shown = gan_data.samples(info.path, count, seed())
        columns = int(len(shown) ** 0.5)
        download(
            "Grid (PNG)",
            lambda: images.to_png(images.grid_image(shown, columns), scale=4),
            f"{info.name}-{seed()}.png",
            "The grid as it is, every pixel 4 by 4.",
        )
    _choose_sample(info, shown, columns)


@st.fragment
def _choose_sample(info: Info, shown: NDArray[np.uint8], columns: int) -> None:
    loading.go_on_without(info)
    left, right = side_by_side(450, 400, gap="small")
    with left, st.container(key=f"{KEY}.grid"):
        chosen = sample_grid(f"{KEY}.chosen", shown, columns)
    with right:
        _origin(info, to_float(torch.from_numpy(shown[chosen])), chosen)


def sample_grid(key: str, pictures: NDArray[np.uint8], columns: int) -> int:
    """Show pictures (N, C, H, W), and return which one is chosen by mouse or keyboard.

    The choice is linked as the query parameter `key`; another N forgets a choice beyond it.
    """
    mounted = history.of_this_visit(key)
    told = said(mounted, "chosen")
    linked = st.query_params.get(key, "")
    if isinstance(told, Mapping) and isinstance(told.get("at"), int):
        index = int(told["at"])
    else:
        index = int(linked) if linked.isdecimal() and len(linked) < 7 else 0
    index = min(max(index, 0), len(pictures) - 1)
    links.show(key, str(index) if told or linked else "")
    data = {
        "picture": images.data_url(images.grid_image(pictures, columns, gap=2)),
        "count": len(pictures),
        "columns": columns,
        "chosen": index,
        "label": "Sample",
    }
    component("sample_grid")(key=mounted, data=data, on_chosen_change=keep, height="content")
    return index


def _origin(info: Info, image: torch.Tensor, number: int) -> None:
    """Is it a copy? The chosen sample next to the training images nearest to it."""
    st.markdown(f"**Sample {number + 1}: is it a copy?**")
    data = loading.pictures_of(info)
    found = gan_data.nearest(info, image[None], NEIGHBOURS)
    index, distance = found.index[0], found.distance[0]
    logit = float(gan_data.score(info.path, "verdict", image[None])[0])
    near = data.train_x[torch.from_numpy(index)]
    names = [data.classes[int(data.train_y[i])] for i in index]
    images.picture(image, f"D says {1 / (1 + np.exp(-logit)):.0%} real", width=112)
    captions = [f"{name} · {d:.1f}" for name, d in zip(names, distance, strict=True)]
    stacked = np.stack([images.to_uint8(i) for i in near])
    picture_table([PictureRow("Nearest training images", "class · distance", stacked, captions)])
    typical = gan_data.typical_distance(info)
    if distance[0] < COPY * typical:
        st.warning(
            f"Its nearest training image is at a distance of {distance[0]:.2f} only, where "
            f"{typical:.1f} is typical: this sample is a copy.",
            icon=":material/content_copy:",
        )
    else:
        st.caption(
            f"No copy: a test image, which G can't have copied, lies {typical:.1f} from its "
            f"nearest training image (median of {min(gan_data.TYPICAL, len(data.test_x))}). "
            "Distance: root of the summed squared differences of pixels in [0, 1], among all "
            f"{len(data.train_x):,} training images."
        )


def walk(info: Info, controls: DeltaGenerator) -> None:
    """The endless walk through z."""
    with controls:
        new_z()
    found = gan_data.for_browser(info)
    if found.exported is not None:
        decoder_store(found.name, found.exported)
    _walk(info)
    st.caption(
        "From one draw of z to the next along cos(a) z + sin(a) z′: every point on the way is "
        "itself a draw from N(0, I). The image changes gradually: neighbouring z give neighbouring "
        "images, although G was never told what lies between two digits."
    )


@st.fragment
def _walk(info: Info) -> None:
    loading.go_on_without(info)
    found, shape = gan_data.for_browser(info), loading.pictures_of(info).shape
    endless_walk(
        f"{KEY}.walk",
        found.name,
        int(str(info.config.get("latent_dim", 100))),
        shape,
        seed(),
        decode=None if found.exported is not None else lambda z: _decode(info, z),
    )


@st.cache_data(max_entries=6, show_spinner="Decoding the way …", hash_funcs=loading.BY_FILE)
def _decode(info: Info, z: NDArray[np.float32]) -> NDArray[np.float32]:
    model = loading.model(info)
    assert isinstance(model, Decodes)
    device = model.device
    with torch.no_grad():
        return loading.cpu(model.decode(torch.from_numpy(z).to(device)))


def verdict(info: Info, controls: DeltaGenerator) -> None:
    """What D says of an image, and where that lies among what it says of others."""
    with controls:
        subject = pick_subject(f"{KEY}.judged", info, show=False)
        shown = st.pills(
            "Groups",
            list(gan_data.GROUPS),
            default=["Test images", "Generated"],
            selection_mode="multi",
            wrap=True,
            key=f"{KEY}.groups",
            bind="query-params",
            help=f"Up to {gan_data.N:,} images of each.",
        )
        logits = st.toggle(
            "Logits",
            key=f"{KEY}.logits",
            bind="query-params",
            help="Show log D / (1 − D) instead of D: what the network gives before the sigmoid.",
        )
    if subject.stand_in:
        wait_for_drawing("picture")
        return
    _among(info, subject, list(shown or ["Test images", "Generated"]), logits)


def _among(info: Info, subject: Subject, groups: list[str], logits: bool) -> None:
    """D of one image, marked in the histograms of groups."""
    logit = gan_data.score(info.path, "verdict", subject.image[None])
    said = float(logit[0])
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        images.picture(subject.image, width=JUDGED)
        st.metric(
            f"D({plain(subject.name)})",
            f"{_sigmoid(logit)[0]:.1%}",
            help=f"Probability of being real, by the discriminator; its logit is {said:.2f}.",
            width="content",
        )
    scale = _same if logits else _sigmoid
    found = {name: scale(gan_data.group_scores(info.path, "verdict", name)) for name in groups}
    figure = score_figure(
        found,
        "logit of D" if logits else "D, probability of being real",
        [Mark(float(scale(logit)[0]), "this image")],
        None if logits else (0.0, 1.0),
    ).update_layout(height=HISTOGRAMS)
    st.plotly_chart(figure, key=f"{KEY}.verdicts")
    real, made = (
        gan_data.group_scores(info.path, "verdict", g) for g in ("Test images", "Generated")
    )
    st.caption(
        f"{(real < said).mean():.0%} of {len(real):,} real test images get a lower verdict than "
        f"this image. D calls {(real > 0).mean():.0%} of them real, and {(made > 0).mean():.0%} of "
        "the generated ones."
    )
    if "Merged" in groups and len(loading.pictures_of(info).test_x) < 2:
        st.caption("Merged: of the only test image and the training images.")


def _sigmoid(logit: gan_data.Floats) -> gan_data.Floats:
    return 1 / (1 + np.exp(-logit))


def _same(logit: gan_data.Floats) -> gan_data.Floats:
    return logit


PLAYERS_SEED = "gan.players.seed"


def players(info: Info, controls: DeltaGenerator) -> None:
    """The diagram of a GAN at one z and one real image, with what D says of both."""
    with controls:
        st.button(
            "Another counterfeit",
            icon=":material/casino:",
            key="gan.players.again",
            on_click=links.count_up,
            args=(PLAYERS_SEED,),
        )
        digit = pick_digit("gan.players.digit", "Real image", data=loading.pictures_of(info))
    model = loading.model(info)
    fits = tuple(digit.image.shape) == model.config.shape
    drawn = diagram(model, digit.image if fits else None, links.number(PLAYERS_SEED))
    architecture("gan.players.diagram", drawn, roles=True, start="verdict")
    if drawn.facts:
        st.caption(
            f"The police believe the real image with {drawn.facts['d_x']:.0%} and the counterfeit "
            f"with {drawn.facts['d_gz']:.0%}."
        )
