"""Denoise: a denoising autoencoder against inpainting that knows where the damage is."""

import streamlit as st
import torch

from genlib.models.denoising import CORRUPTIONS
from genlib.plots.denoise import error_chart
from genlib.ui.components.digit_picker import pick_digit
from genlib.ui.components.live_slider import live_slider
from genlib.ui.energy import denoise
from genlib.ui.energy.lessons import DENOISE
from genlib.ui.kit import links, loading
from genlib.ui.kit.pickers import choose, pick_model
from genlib.ui.kit.stage import header, how_to_read, stage, stage_first, wait_for_drawing

header(
    "Denoise",
    "Which comes closer to the clean digit: a network that has seen 60,000 of them, or inpainting "
    "that is told where the damage is?",
    r"\hat y = \mathrm{Dec}(\mathrm{Enc}(\tilde y)), \qquad "
    r"\min\ \lVert y - \hat y \rVert^2 \quad\text{with}\quad \tilde y = \text{damage}(y)",
    "Lecture text “Autoencoders to GANs”; Telea 2004; Bertalmio, Bertozzi & Sapiro 2001",
    DENOISE,
)

shape = loading.dataset().shape
controls, picture = stage()
below = st.empty()  # the ten digits follow the slider as well
with controls:
    title = st.selectbox(
        "Damage",
        list(denoise.KINDS),
        key="denoise.kind",
        bind="query-params",
        help="How the clean digit is damaged. The slider sets how much.",
    )
    kind = denoise.KINDS[title]
    digit = pick_digit("denoise.digit", waits=True)
    info = pick_model(
        "Denoises",
        key="denoise.model",
        label="Denoising autoencoder",
        default="dae-500",
        shape=shape,
    )
    others = {
        i.name: i
        for i in loading.checkpoints("Reconstructs")
        if i.name != info.name and loading.takes(i, shape)
    }
    chosen = st.multiselect(
        "Compare with",
        list(others),
        default=[name for name in ("ae-30",) if name in others],
        max_selections=3,
        key="denoise.beside",
        bind="query-params",
        help="Any model that reconstructs. A plain autoencoder was never trained to remove noise.",
    )
    told = st.toggle(
        "Tell the models the mask",
        key="denoise.told",
        bind="query-params",
        help="Undamaged pixels are put back after the model, so that models and inpainting "
        "know the same. With Gaussian noise every pixel is damaged and nothing changes.",
    )
    st.caption(f"{denoise.NOTES[kind]} {denoise.trained_against(info)}")
infos = [info, *(others[name] for name in chosen)]
methods = denoise.repairs(infos, told)


@st.fragment
def live() -> None:
    """All that follows the slider."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        strength = live_slider(
            "denoise.strength",
            "Strength",
            0.0,
            0.95,
            denoise.STARTS.get(kind, denoise.START),
            0.01,
            help=f"{denoise.UNITS[kind].capitalize()}; 0 leaves the digit whole.",
        )
        st.button(
            "New noise",
            icon=":material/casino:",
            key="denoise.again",
            on_click=links.count_up,
            args=("denoise.noise",),
        )
    rng = torch.Generator().manual_seed(links.number("denoise.noise"))
    if digit.stand_in:
        wait_for_drawing()
    else:
        clean = torch.as_tensor(digit.image).float()[None]
        x_bad, mask = CORRUPTIONS[kind](clean, strength, rng)
        st.markdown(denoise.one_digit(clean, x_bad, mask, methods, told))
        st.caption(
            "Under each picture: squared error per pixel, pixels in [0, 1]. Smaller is better."
        )
    stage_first()
    with below.container():
        st.subheader("Ten digits, as in the lecture")
        batch = denoise.one_of_each()
        denoise.batch_rows(batch, *CORRUPTIONS[kind](batch, strength, rng), methods)


with picture:
    live()

st.subheader("Error against strength")
no_class = digit.label is None or digit.stand_in
scope = choose(
    "Measured on",
    ["All digits", "This digit's class"],
    "denoise.scope",
    "A drawn digit has no class, so all digits are measured." if no_class else "",
    disabled=no_class,
)
label = None if no_class or scope == "All digits" else digit.label
lines = denoise.curves(infos, kind, told, label)
st.plotly_chart(error_chart(lines, denoise.UNITS[kind]), key="denoise.curves")
st.caption(
    f"Mean over {denoise.N_MEASURED} test digits; bars are one standard error. "
    "Every method sees the same damage."
)
with how_to_read():
    st.markdown(
        "Each side knows something that the other doesn't.\n"
        "- Telea and Navier–Stokes are *told* which pixels are damaged. They keep all others "
        "exactly, but they know nothing about digits.\n"
        "- The autoencoder is told nothing. It must guess where the damage is and what was there, "
        "but it has seen 60,000 digits.\n"
        "- Inpainting wins while holes are small and most neighbours are good.\n"
        "- The autoencoder wins when few good pixels are left, if it was trained on this kind of "
        "damage."
    )
