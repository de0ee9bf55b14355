"""Numbers in the link; whole ones may be there without a widget, such as seeds."""

from __future__ import annotations

import math

import streamlit as st


def keep_finite() -> None:
    """Drop infinite numbers from the link: Streamlit's number fields end in an OverflowError."""
    for key in [k for k in st.query_params if any(map(_infinite, st.query_params.get_all(k)))]:
        del st.query_params[key]


def _infinite(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def number(key: str, default: int = 0) -> int:
    """The number at ``key`` of the link: at most eight digits, else the default."""
    text = st.query_params.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default


def count_up(key: str) -> None:
    """Go to the next number, as a button that draws again does."""
    st.query_params[key] = str(number(key) + 1)
