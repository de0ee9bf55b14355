"""PixelCNN and PixelRNN: an image appears pixel by pixel, each with its probability."""

from __future__ import annotations

import random

import streamlit as st

from genlib.ui.autoregressive import pixelcnn
from genlib.ui.autoregressive.lessons import PIXELCNN
from genlib.ui.components import digit_picker
from genlib.ui.kit import loading, pickers
from genlib.ui.kit.pickers import download
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import header, how_to_read, stage, stage_first

KEY = "pixelcnn"

header(
    "PixelCNN",
    "The probability of an image is the product of the probabilities of its pixels, **each given "
    "all pixels before it** in reading order.",
    r"\log p(x) = \sum_{i=1}^{784} \log p(x_i \mid x_1, \dots, x_{i-1}), \qquad "
    r"p_T(x_i = 1 \mid \cdot) = \sigma(\mathrm{logit}_i / T)",
    "Slides “Generative taxonomy”; van den Oord, Kalchbrenner & Kavukcuoglu 2016, "
    "arXiv:1601.06759. Digits are black and white here: a pixel is ink or paper.",
    PIXELCNN,
)


def draw_again() -> None:
    """Other random numbers, so other images."""
    st.session_state[f"{KEY}.seed"] = random.randrange(10_000)


controls, picture = stage()
with controls:
    info = pickers.pick_model("Autoregressive", key=f"{KEY}.model", default="pixelcnn")
    size = int(str(info.config["image_size"]))
    rows = st.slider(
        "Known rows",
        0,
        size - 1,
        0,
        key=f"{KEY}.rows",
        bind="query-params",
        help=f"The model is given these rows of the digit and draws the rest {pixelcnn.N} times. "
        "With 0 it starts from a blank page.",
    )
    temperature = st.slider(
        "Temperature",
        0.1,
        2.0,
        1.0,
        0.05,
        key=f"{KEY}.temperature",
        bind="query-params",
        help="T divides the logits. 1 draws from the model, a lower T prefers likely pixels, a "
        "higher one adds noise.",
    )
    line = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    seed = line.number_input(
        "Seed",
        0,
        9999,
        0,
        key=f"{KEY}.seed",
        bind="query-params",
        help="The same seed draws the same images.",
    )
    line.button(
        "Draw again",
        icon=":material/casino:",
        key=f"{KEY}.again",
        on_click=draw_again,
        help="With a new random seed.",
    )
    data = loading.pictures_of(info)
    digit = digit_picker.pick_digit(f"{KEY}.digit", "Digit", data=data, default_class=4)
if digit.image.shape != (1, size, size):
    st.info(
        f"{plain(info.name)} works on grey images of {size} × {size} pixels. Choose another model."
    )
    st.stop()

bits = pixelcnn.binary(digit.image)
sheet = pixelcnn.grown(info, bits, rows, temperature, int(seed))
with picture:
    st.markdown(
        f"**The first {rows} rows are given. The model finishes the digit {pixelcnn.N} times.**"
        if rows
        else f"**{pixelcnn.N} images from a blank page**"
    )
    pixelcnn.stage(f"{KEY}.stage", info, sheet)

with st.container(horizontal=True):
    download(
        "Images (PNG)",
        lambda: pixelcnn.as_png(sheet),
        f"{info.name}.png",
        f"All {pixelcnn.N} images, 6 times enlarged.",
    )
    download(
        "Growth (GIF)",
        lambda: pixelcnn.as_gif(sheet),
        f"{info.name}.gif",
        "Pixel by pixel, as a loop.",
    )

stage_first()
st.subheader("Where is the surprise?")
judged = pixelcnn.judged(info, bits)
st.markdown(
    f"The chosen digit costs **{pixelcnn.nats(judged):.1f} nats**. Bright pixels were unexpected, "
    "given all before them."
)
row = st.container(horizontal=True, gap="large")
with row.container(width=640):
    pixelcnn.stage(f"{KEY}.surprise", info, judged)
with row.container(width=440):
    pixelcnn.against_the_test_set(info, pixelcnn.nats(judged))

with how_to_read():
    st.markdown(
        "- There are no latents and no bound: the likelihood is exact, and pixels are drawn one "
        "after the other.\n"
        "- **p of ink**: what the model expected of each pixel before it saw it. Most pixels are "
        "nearly certain. Strokes begin and end where it is near one half.\n"
        "- **Nats**: −log p of the pixel as it is. 0.69 nats is a coin toss, and a pixel with a "
        "probability of 1% costs 4.6. Their sum is −log p(x), exactly.\n"
        "- **Receptive field** (point at a pixel or tap it): orange pixels influence its "
        "prediction, measured by the gradient of its logit at this image. Hatched pixels come "
        "before it but have no effect. They are out of reach, or in a PixelCNN's **blind spot** "
        "above to the right, where masked 3 × 3 kernels get one column further with each row. "
        "Dimmed pixels come after it.\n"
        "- **Temperature** changes how pixels are drawn, not what an image costs: nats are always "
        "at T = 1.\n"
        "- Digits are rounded to black and white at one half. The model was trained on digits "
        "drawn at random from their grey values, which cost more nats."
    )
