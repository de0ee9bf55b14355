"""Signed pictures, such as differences and weights, in the colours of the page's theme."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from genlib.plots.kernels import DARK_PALETTE, PALETTE, diverging

STOPS = 5  # of the legend's gradient


def palette() -> NDArray[np.uint8]:
    """256 colours (256, 3) from the lowest to the highest value; zero looks like the page."""
    return DARK_PALETTE if st.context.theme.type == "dark" else PALETTE


def signed(values: NDArray[np.floating], limit: float) -> NDArray[np.uint8]:
    """Values (...) between -limit and limit -> RGB (..., 3)."""
    return diverging(values, limit, palette())


def signed_legend(low: str, middle: str, high: str, where: DeltaGenerator | None = None) -> None:
    """A colour bar for signed pictures, with words at both ends and at zero."""
    chosen = palette()[np.linspace(0, 255, STOPS).round().astype(int)]
    gradient = ", ".join(f"rgb({r},{g},{b})" for r, g, b in chosen)
    (where or st).html(
        '<div style="display:inline-grid;grid-template-columns:auto minmax(80px,180px) auto;'
        'column-gap:8px;align-items:center;font-size:.85rem;line-height:1.3">'
        f"<span>{escape(low)}</span><span style='height:12px;border-radius:3px;"
        f"background:linear-gradient(90deg,{gradient})'></span><span>{escape(high)}</span>"
        f"<span></span><span style='text-align:center;opacity:.75'>{escape(middle)}</span></div>"
    )
