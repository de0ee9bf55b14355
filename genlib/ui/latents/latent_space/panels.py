"""Below the stage of the Latent space page: what follows when the pointer stops, and the files."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from genlib.data.datasets import Dataset
from genlib.explore import latents
from genlib.explore.latents import walk
from genlib.ui.components import history
from genlib.ui.components.decoder_store import component_key, model_data
from genlib.ui.components.digit_picker import Digit, pick_digit
from genlib.ui.components.packet import as_text
from genlib.ui.components.walk import Way, walk_between
from genlib.ui.kit import links, loading, standalone
from genlib.ui.kit.images import data_url, grid_image, picture, to_gif, to_png
from genlib.ui.kit.pickers import choose, download
from genlib.ui.kit.plain import plain
from genlib.ui.latents.latent_space.data import (
    Array,
    Space,
    cloud,
    density,
    digits,
    dimensions,
    start_code,
)
from genlib.ui.latents.latent_space.data import space as read_space
from genlib.ui.latents.latent_space.start import KEY, on_server, place

STRIPS = 10  # latents that get a traversal strip
STEPS = 13  # pictures in a strip
# Narrow, a strip has the whole width and scrolls sideways: 13 digits of at least 32 pixels.
_STRIP_STYLE = """<style>
.strips {display: grid; grid-template-columns: 2.5rem 2.5rem minmax(0, 56rem) 2.5rem;
  grid-auto-flow: dense; gap: 2px 0.5rem; align-items: center; font-size: 0.9rem;}
.strips div {overflow-x: auto; grid-column: 3;}
.strips span:nth-of-type(3n) {grid-column: 4;}
.strips img {width: 100%; min-width: 28rem; image-rendering: pixelated; display: block;}
@media (max-width: 640px) {
  .strips {grid-template-columns: 2.5rem 1fr 1fr;}
  .strips div {grid-column: 1 / -1;}
  .strips span:nth-of-type(3n) {grid-column: 3; text-align: right;}
}
</style>"""
PLANE = "vae-2"  # a model with two latents, to open where there are more
SAMPLES = 40  # generated pictures


def around(space: Space) -> None:
    """Neighbours among real digits, and one strip per latent through the present place."""
    z = torch.from_numpy(place(space))
    data = digits(space)
    st.subheader("Nearest real digits", anchor=False)
    found, distances = latents.nearest(space.codes, z, 10)
    with st.container(horizontal=True):
        for index, distance in zip(found.tolist(), distances.tolist(), strict=True):
            name = data.classes[int(data.test_y[index])]
            picture(data.test_x[index], f"{name} · {distance:.2f}", width=72)
    st.caption("Test images whose codes lie closest: class · Euclidean distance in latent space.")
    st.subheader("One latent at a time", anchor=False)
    order = space.axes.order[:STRIPS]
    low, high = space.axes.low[order, None], space.axes.high[order, None]
    values = low + (high - low) * torch.linspace(0, 1, STEPS)
    device = space.model.device  # type: ignore[attr-defined]
    images = latents.traversals(space.model, z.to(device), order.to(device), values.to(device))
    st.html(_strips([space.label(i) for i in order.tolist()], images, low[:, 0], high[:, 0]))
    if space.latent_dim > len(order):
        st.caption(f"The {len(order)} latents that matter most, of {space.latent_dim}.")


def _strips(names: list[str], images: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> str:
    """One line per latent: its name, the strip, and the range it runs through."""
    lines = []
    for k, name in enumerate(names):
        url = data_url(grid_image(images[k], STEPS))
        lines.append(
            f'<span style="font-weight:600">{name}</span>'
            f'<span style="text-align:right">{low[k]:.1f}</span>'
            f"<span>{high[k]:.1f}</span>"
            f'<div><img src="{url}" alt="{name} from {low[k]:.1f} to {high[k]:.1f}"></div>'
        )
    return f'{_STRIP_STYLE}<div class="strips">{"".join(lines)}</div>'


def between(space: Space) -> None:
    """Two digits, and the way from one to the other in pixels and in latents."""
    data = digits(space)
    left, right = st.columns(2, gap="large")
    a = pick_digit(f"{KEY}.a", "From", left, data=data, default_class=3, default_nth=0)
    b = pick_digit(f"{KEY}.b", "To", right, data=data, default_class=8, default_nth=1)
    way = Way(
        space.encode(a.image),
        space.encode(b.image),
        0.0,
        1.0,
        _called(a, data),
        _called(b, data),
        (a.image.numpy(), b.image.numpy()),
    )
    _walk(space, "between", way, 0.5)
    st.caption(
        "In pixels the middle is a double exposure. In latents it is decoded from a code of its "
        "own. Between similar digits, strokes move instead of fading. Between others, such as a 1 "
        "and a 6, the middle can be a smear."
    )


def _called(digit: Digit, data: Dataset) -> str:
    return "drawn" if digit.label is None else data.classes[digit.label]


def means(space: Space) -> None:
    """Add the difference of two class means to the present place."""
    data = digits(space)
    by_class = latents.class_means(space.codes, space.labels)
    present = list(by_class)
    left, right, note = st.columns([1, 1, 2], vertical_alignment="bottom")
    source = left.selectbox(
        "Less of",
        present,
        index=present.index(3) if 3 in present else 0,
        format_func=lambda c: data.classes[c],
        key=f"{KEY}.less",
        bind="query-params",
        help="The class whose mean code is subtracted.",
    )
    target = right.selectbox(
        "More of",
        present,
        index=present.index(8) if 8 in present else len(present) - 1,
        format_func=lambda c: data.classes[c],
        key=f"{KEY}.more",
        bind="query-params",
        help="The class whose mean code is added.",
    )
    note.latex(r"z + t\,(\bar z_{\text{more}} - \bar z_{\text{less}})")
    z = place(space)
    moved = (by_class[target] - by_class[source]).numpy()
    way = Way(
        z, z + moved, -1.0, 2.0, f"more {data.classes[source]}", f"more {data.classes[target]}"
    )
    _walk(space, "means", way, 1.0)
    st.caption(
        "Starts at the picture above (t = 0). At t = 1 the code has moved by exactly the "
        "difference between the two classes' mean codes."
    )


def _walk(space: Space, name: str, way: Way, t: float) -> None:
    parameter = f"{KEY}.{name}.t"
    try:
        first = float(st.query_params.get(parameter, t))
    except ValueError:
        first = t
    first = float(np.clip(np.nan_to_num(first, nan=t), way.low, way.high))
    decode = space.decode if on_server(space) else None
    key = history.of_this_visit(component_key(f"{KEY}.{name}", space.name))
    told = walk_between(key, space.name, way, space.shape, t=first, decode=decode)
    links.show(parameter, f"{told:.3f}" if told != t else "")


def manifold(space: Space) -> None:
    """The whole plane of a model with two latents as one picture of pictures."""
    if space.latent_dim != 2:
        st.info(
            f"{plain(space.info.name)} has {space.latent_dim} latents; a picture has two "
            "directions. Choose a model with two latents, such as vae-2.",
            icon=":material/info:",
        )
        if any(info.name == PLANE for info in loading.checkpoints("Encodes", "Decodes")):
            st.button(
                f"Open {PLANE}",
                key=f"{KEY}.open_plane",
                icon=":material/grid_view:",
                type="primary",
                on_click=_open_plane,
            )
        return
    side = 20
    if space.has_prior:
        across = up = latents.normal_quantiles(side)
        how = (
            "Each step covers 1/20 of the prior N(0, 1): spaced by the inverse normal distribution."
        )
    else:
        across, up = (
            torch.linspace(float(space.axes.low[i]), float(space.axes.high[i]), side)
            for i in range(2)
        )
        how = "Evenly spaced over the range of the test images' codes: this model has no prior."
    images = space.decode(latents.manifold_grid(across, up).numpy())
    st.image(data_url(grid_image(images, side, gap=0)), width=840, alt="The manifold")
    st.caption(f"z1 grows to the right, z2 upwards. {how}")


def _open_plane() -> None:
    st.session_state[f"{KEY}.model"] = PLANE
    st.rerun()  # the whole page: this button lives in a fragment


def generate(space: Space) -> None:
    """Draw codes from densities fitted to the latents, and decode them, next to another model's."""
    from genlib.explore.density import DENSITIES, held_out

    left, right = st.columns([2, 1], gap="large", vertical_alignment="bottom")
    with left.container(horizontal=True, vertical_alignment="bottom"):
        name = choose(
            "Density over latents",
            list(DENSITIES),
            f"{KEY}.density",
            "Fitted to the codes of 10,000 training images; the standard normal is not fitted.",
            default="Standard normal",
            wrap=True,
        )
        st.button(
            "Draw again",
            icon=":material/casino:",
            key=f"{KEY}.again",
            on_click=links.count_up,
            args=(f"{KEY}.draws",),
        )
    other = _beside(space, right)
    assert name is not None
    shown = [space] + ([other] if other else [])
    for column, one in zip(st.columns(len(shown), gap="large"), shown, strict=True):
        with column:
            fitted = density(one, name)
            z = fitted.sample(SAMPLES, np.random.default_rng(links.number(f"{KEY}.draws")))
            mean, error = held_out(fitted, one.codes[:2000].numpy())
            st.markdown(f"**{plain(one.info.name)}** · {name.lower()}")
            st.image(data_url(grid_image(one.decode(z), 8)), width="stretch", alt="Samples")
            st.caption(
                f"Log-density of 2,000 test codes: {mean:,.1f} ± {error:.1f} nats per code, "
                f"{one.latent_dim} latents."
            )
    st.caption(
        "The log-density says how well a density fits codes it has not seen. Use it to compare "
        "densities of one model, never two models: their codes have different scales."
    )


def _beside(space: Space, where: DeltaGenerator) -> Space | None:
    """Choose another model to sample from; at first a plain autoencoder to compare with a VAE."""
    models = loading.checkpoints("Encodes", "Decodes")
    others = {info.name: info for info in models if info.path != space.info.path}
    names = ["nothing", *others]
    preset = "ae-30" if space.has_prior else "vae-20"
    chosen = where.selectbox(
        "Compare with",
        names,
        index=names.index(preset) if preset in names else 0,
        key=f"{KEY}.beside",
        bind="query-params",
        help="Another model that samples from the same kind of density.",
    )
    return read_space(others[chosen]) if chosen in others else None


WALK_STOPS = 4
WALK_STEPS = 16


def take_away(space: Space) -> None:
    """Buttons for the files, and the Python that makes the same picture."""
    z, name = place(space), space.info.name
    with st.container(horizontal=True):
        download(
            "Picture (PNG)",
            lambda: to_png(space.decode(z[None])[0], scale=16),
            f"{name}.png",
            "The picture of the pad, every pixel 16 by 16.",
        )
        download(
            "Walk (GIF)",
            lambda: walk_gif(space, z),
            f"{name}-walk.gif",
            "From here through four random places and back, endlessly.",
        )
        download(
            "Explorer (HTML)",
            (lambda: explorer_html(space, z)) if space.exported else "",
            f"{name}.html",
            "Sliders, pad and decoder in one file that needs no server and no network."
            if space.exported
            else f"The browser cannot decode this model: {space.refusal}",
            disabled=space.exported is None,
        )
    st.markdown("The same picture in Python:")
    st.code(python_lines(space, z), language="python", wrap_lines=True)


def walk_gif(space: Space, z: Array) -> bytes:
    """A closed walk from z through random places, as an endless GIF."""
    rng = np.random.default_rng(0)
    stops = torch.from_numpy(np.stack([start_code(space, rng) for _ in range(WALK_STOPS)]))
    codes = walk(torch.from_numpy(z), stops, WALK_STEPS)
    return to_gif(torch.from_numpy(space.decode(codes.numpy())))


def python_lines(space: Space, z: Array) -> str:
    """A script that makes the pad's picture with genlib."""
    numbers = ", ".join(f"{v:.4f}" for v in z)
    return (
        "import torch\n"
        "from torchvision.utils import save_image\n"
        "from genlib.store import checkpoint\n\n"
        f'model = checkpoint.load("{_relative(space)}")\n'
        f"z = torch.tensor([[{numbers}]])\n"
        f'save_image(model.decode(z), "{space.info.name}.png")\n'
    )


def _relative(space: Space) -> str:
    from genlib.environment import root

    path = space.info.path
    return str(path.relative_to(root()) if path.is_relative_to(root()) else path)


def explorer_html(space: Space, z: Array) -> str:
    """The latent pad of this model as one page: the same modules, the weights inside.

    Raises ValueError where the decoder cannot run in a browser.
    """
    if space.exported is None:
        raise ValueError(f"{space.info.name} cannot run in a browser: {space.refusal}")
    codes, labels = cloud(space)
    pad = {
        "name": space.name,
        "dims": dimensions(space),
        "shape": list(space.shape),
        "classes": list(digits(space).classes),
        "z": [float(v) for v in z],
        "version": 1,
        "path": "browser",
    }
    data = {
        **pad,
        "saved": {
            "model": model_data(space.exported),
            "weights": as_text(space.exported.weights),
            "cloud": as_text(codes),
            "labels": as_text(labels),
        },
    }
    return standalone.page(
        "latent_pad",
        f"{space.info.name}: latent space",
        "Move a slider, or drag in the square. The dots are codes of real test digits, coloured by "
        "class. Press M for milliseconds and frames per second.",
        data,
        modules=("shared/decoder.js",),
        script=_SHARE,
    )


_SHARE = """
import { compileDecoder } from "shared/decoder.js"
import { fromText } from "shared/packet.js"
import { share } from "shared/store.js"
const { saved } = data
share(data.name, { decoder: compileDecoder(saved.model, fromText(saved.weights)),
  cloud: fromText(saved.cloud), labels: fromText(saved.labels) })
"""
