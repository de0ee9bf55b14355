"""What the link holds: numbers, whole ones also without a widget, such as seeds; models by name."""

from __future__ import annotations

import math
from collections.abc import Iterable

import streamlit as st

from genlib.ui.kit import loading


def keep_finite() -> None:
    """Drop infinite numbers from the link: Streamlit's number fields end in an OverflowError."""
    for key in [k for k in st.query_params if any(map(_infinite, st.query_params.get_all(k)))]:
        del st.query_params[key]


def _infinite(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def follow_renamed(keys: Iterable[str]) -> None:
    """Where the link names models at ``keys`` as they were once named, start again with new names.

    Widgets read what the link was when the script began.
    """
    known = {key: st.query_params.get_all(key) for key in keys}
    now = {key: [loading.current_name(name) for name in names] for key, names in known.items()}
    if now != known:
        st.query_params.update({key: names for key, names in now.items() if names})
        st.rerun()


def number(key: str, default: int = 0) -> int:
    """The number at ``key`` of the link: at most eight digits, else the default."""
    text = st.query_params.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default


def count_up(key: str) -> None:
    """Go to the next number, as a button that draws again does."""
    st.query_params[key] = str(number(key) + 1)
