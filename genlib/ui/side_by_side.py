"""Two parts of a page beside each other, and below each other where the window is narrow."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def side_by_side(left: int, right: int) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two containers of these widths in CSS pixels; the second wraps where both do not fit.

    Streamlit's columns shrink instead, until a chart in a tablet's half column says nothing.
    """
    row = st.container(horizontal=True, gap="large")
    return row.container(width=left), row.container(width=right)
