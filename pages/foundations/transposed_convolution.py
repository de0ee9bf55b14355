"""Transposed convolution: how a generator makes a large image out of a small one."""

import streamlit as st

from genlib.ui.components.transposed_convolution import transposed_convolution
from genlib.ui.foundations.lessons.shipped import TRANSPOSED_CONVOLUTION
from genlib.ui.foundations.transposed_convolution import as_file, decoders, share
from genlib.ui.kit import standalone
from genlib.ui.kit.stage import STAGE, header, how_to_read, presenting

header(
    "Transposed convolution",
    "How a generator makes a large image out of a small one: every input cell **stamps** the "
    "kernel onto the output.",
    r"y_{s i - p + a,\; s j - p + b} \mathrel{+}= x_{i j}\, w_{a b}, \qquad "
    r"m = s (n - 1) - 2 p + k + e",
    "Overview “Generative models”; Dumoulin & Visin 2016, arXiv:1603.07285; Odena, Dumoulin & "
    "Olah 2016, doi 10.23915/distill.00003",
    lessons=TRANSPOSED_CONVOLUTION,
)
found = decoders()
stores = share(found)
with st.container(key=STAGE):
    transposed_convolution("transposed_convolution", stores, present=presenting())

with how_to_read():
    st.markdown(
        "- **Three views, one operation.** A stamp is added for every input cell. Or: zeros are "
        "put between and around the input cells, and the kernel, turned by 180°, slides over "
        "them. Or: one matrix Cᵀ, the transpose of the matrix C of the ordinary convolution with "
        "this kernel, stride and padding.\n"
        "- **Point** at any cell to see its counterparts in every view, and **click** to pin "
        "them. Escape unpins.\n"
        "- **Paint** the input and the kernel by dragging, or walk there with the arrow keys and "
        "type numbers. The minus key flips the sign.\n"
        "- **Padding** removes rows and columns from the output, the opposite of what it does in a "
        "convolution. **Output padding** adds some below and to the right: a convolution with a "
        "stride maps several sizes to the same one, and this chooses among them.\n"
        "- **Transposed isn't inverse.** The name “deconvolution” promises too much: the shape "
        "comes back, the numbers don't.\n"
        "- Where cells are too small for numbers, colours remain. Choose one view to enlarge it."
    )
standalone.offer(lambda: as_file(found), "transposed-convolution.html")
