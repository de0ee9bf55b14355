"""Reconstructions and kernels: what goes in, what comes out, what the first layer looks for."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.data.datasets import Dataset
from genlib.explore.kernels import CRITERIA, ORDERS
from genlib.plots.kernels import OWN, SHARED
from genlib.store.checkpoint import Info
from genlib.ui.components.live_slider import live_slider
from genlib.ui.kit import links, loading
from genlib.ui.kit.pickers import choose, pick_models
from genlib.ui.kit.plain import note_of, plain
from genlib.ui.kit.signed import signed_legend
from genlib.ui.kit.stage import header, stage, stage_first
from genlib.ui.latents import reconstructions
from genlib.ui.latents.lessons import RECONSTRUCTIONS

header(
    "Reconstructions and kernels",
    "An autoencoder squeezes a digit into a few numbers and draws it again. The difference shows "
    "what it lost.",
    r"h = f(W x + b), \qquad \hat x = g(V h + c), \qquad \text{kernel } k = \text{row } k "
    r"\text{ of } W",
    "Lecture text “Autoencoders to GANs”, figures 3, 4 and 6",
    RECONSTRUCTIONS,
)


def show_reconstructions(controls: DeltaGenerator, picture: DeltaGenerator) -> None:
    """The same digits through several models, and their test errors."""
    with controls:
        infos = pick_models(
            "Reconstructs",
            key="reconstructions.models",
            default=("vae-2", "ae-30", "ae-500"),
            help="Any autoencoders: train some with 2, 10 and 100 latents and compare them.",
        )
    data = reconstructions.data_of(infos[0])
    fits = [info for info in infos if loading.takes(info, data.shape)]
    with controls:
        if data.note:
            st.caption(f":material/info: {note_of(data)}")
        for info in infos:
            if info not in fits:
                st.warning(
                    f"{plain(info.name)} works on other images than these, so it is left out here."
                )
        which = pick_class(data)
    if not fits:
        picture.info("No chosen model works on these images. Choose another one.")
        return
    with picture, st.container(key="tall"):
        differences = controls_above_the_digits()
        reconstructions.reconstructions(
            fits,
            reconstructions.test_digits(data, which, links.number("reconstructions.digits")),
            differences,
        )
    stage_first()
    st.subheader("Error on the whole test set")
    reconstructions.compare_errors(fits)
    st.caption(
        "± one standard error over the test images. In nets of one kind, more latents mean a "
        "smaller error; that alone does not make a better model: an over-complete code can copy."
    )


def pick_class(data: Dataset) -> int | None:
    """The class whose digits are shown; None: one digit of each."""
    label = st.selectbox(
        "Digits",
        ["one of each", *data.classes],
        key="reconstructions.class",
        bind="query-params",
    )
    return None if label == "one of each" else data.classes.index(label)


def controls_above_the_digits() -> bool:
    """A button for other digits, and whether the differences are shown."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Other digits",
            icon=":material/casino:",
            key="reconstructions.other",
            on_click=links.count_up,
            args=("reconstructions.digits",),
        )
        return st.toggle(
            "Difference",
            value=True,
            key="reconstructions.difference",
            bind="query-params",
            help="Output minus input for every pixel: red is too bright, blue too dark.",
        )


def show_grids(controls: DeltaGenerator, picture: DeltaGenerator) -> None:
    """Kernel grids side by side, their controls; below the stage the zoom."""
    with controls:
        infos = pick_models(
            "HasKernels",
            key="reconstructions.kernels",
            default=("ae-30", "ae-500", "dae-500"),
            help="Models whose first layer sees the whole picture. The first three are shown.",
        )[:3]
        scale, by, criterion, threshold = choose_order()
    chosen, unit = pick_unit(infos)  # first, since only widgets know what the link says
    with picture, st.container(key="tall"):
        for box, info in zip(st.columns(len(infos)), infos, strict=True):
            with box:
                reconstructions.grid(
                    info, by, scale, criterion, threshold, unit if info == chosen else None
                )
        signed_legend("negative", "0", "positive weight")
    reconstructions.zoom(chosen, unit)


def choose_order() -> tuple[str, str, str, float]:
    """Colour scale, order, and which units are marked: by which score, and below what."""
    scale = st.selectbox(
        "Colour scale",
        [SHARED, OWN],
        key="reconstructions.scale",
        bind="query-params",
        help="One scale shows which kernels are strong; a scale for each shows faint structure.",
    )
    by = st.selectbox(
        "Sort by",
        list(ORDERS),
        key="reconstructions.sort",
        bind="query-params",
        help="Strength: L2 norm of the weights. Activity: standard deviation of the activation. "
        "Smoothness: correlation of neighbouring weights.",
    )
    titles = {rule.title: name for name, rule in CRITERIA.items()}
    title = st.selectbox(
        "Mark units that are", list(titles), key="reconstructions.criterion", bind="query-params"
    )
    criterion = titles[title]
    rule = CRITERIA[criterion]
    threshold = live_slider(
        f"reconstructions.threshold.{criterion}",
        "Threshold",
        rule.low,
        rule.high,
        rule.threshold,
        0.01,
        help="Units whose score is below this are marked with an amber frame.",
    )
    st.caption(f":orange[▢] A unit is marked when {rule.text}")
    return scale, by, criterion, threshold


def pick_unit(infos: list[Info]) -> tuple[Info, int]:
    """The unit that was clicked, or typed, and its model."""
    st.subheader("One unit")
    by_name = {i.name: i for i in infos}
    if st.session_state.get("reconstructions.of", infos[0].name) not in by_name:
        st.session_state["reconstructions.of"] = infos[0].name
    left, right, _ = st.columns([2, 1, 3])
    name = left.selectbox("Model", list(by_name), key="reconstructions.of", bind="query-params")
    count = len(reconstructions.measured(by_name[name]).kernels.weights)
    if st.session_state.get("reconstructions.unit", 0) >= count:
        st.session_state["reconstructions.unit"] = count - 1
    unit = right.number_input(
        "Unit",
        0,
        count - 1,
        key="reconstructions.unit",
        bind="query-params",
        help="Click a kernel above, or give its number.",
    )
    return by_name[name], int(unit)


def show_kernels(controls: DeltaGenerator, picture: DeltaGenerator) -> None:
    """Kernels of up to three models."""
    show_grids(controls, picture)
    st.markdown(
        """
**How to read it.** A pixel at the border is black in nearly every digit, so its weight acts as one
more bias: training shifts all border weights together and keeps the random numbers they began with.
That is the *salt and pepper* around the kernels of a plain autoencoder. Dropout noise makes the
border vary, so the denoising autoencoder must unlearn it: its border is calm. **Border noise** is
the spread of the weights at the border divided by the spread inside, as the median over all
kernels. A ReLU unit that is never on gets no gradient, and a saturated tanh unit almost none. It
keeps its weights, often noise everywhere, and gives the same value for every digit.
"""
    )


VIEWS = {"Reconstructions": show_reconstructions, "Kernels": show_kernels}


@st.fragment
def show() -> None:
    """The stage and what the numbers say: nothing else changes while one drags a threshold."""
    controls, picture = stage()
    with controls:
        chosen = choose("Show", list(VIEWS), "reconstructions.show", hidden=True)
    VIEWS[chosen](controls, picture)


show()
