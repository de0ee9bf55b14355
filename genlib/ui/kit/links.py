"""Whole numbers that a link holds without a widget: seeds, and what was picked on a canvas."""

from __future__ import annotations

import streamlit as st


def number(key: str, default: int = 0) -> int:
    """The number at ``key`` of the link: at most eight digits, else the default."""
    text = st.query_params.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default


def count_up(key: str) -> None:
    """Go to the next number, as a button that draws again does."""
    st.query_params[key] = str(number(key) + 1)
