"""Parts of a page side by side, and below each other where the window is narrow."""

from __future__ import annotations

from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def side_by_side(*widths: int, gap: Literal["small", "large"] = "large") -> list[DeltaGenerator]:
    """Containers of these widths in CSS pixels; they wrap where they do not fit into one line.

    Streamlit's columns shrink instead, until a chart in a tablet's half column says nothing.
    """
    row = st.container(horizontal=True, gap=gap)
    return [row.container(width=width) for width in widths]
