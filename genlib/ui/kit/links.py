"""What the link holds: numbers, whole ones also without a widget, such as seeds; models by name."""

from __future__ import annotations

import math
from collections.abc import Iterable

import streamlit as st

from genlib.ui.kit import loading

SHOWN = "links.shown"  # in this session: what `show` has written last, by key


def keep_finite() -> None:
    """Drop infinite numbers from the link: Streamlit's number fields end in an OverflowError.

    Where a widget has its value already, the link follows it, and a text may say "inf".
    """
    for key in [k for k in st.query_params if any(map(_infinite, st.query_params.get_all(k)))]:
        if key not in st.session_state:
            del st.query_params[key]


def _infinite(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def follow_renamed(keys: Iterable[str]) -> None:
    """Where models were renamed, choose them by the names that they have now.

    A widget that is there already holds a name or a list of names; the others read what the link
    was when the script began, so that it begins again.
    """
    again = False
    for key in filter(None, keys):
        held = st.session_state.get(key)
        names = st.query_params.get_all(key) if held is None else held
        now = [loading.current_name(n) for n in ([names] if isinstance(names, str) else names)]
        if held is None and now != names:
            st.query_params[key] = now
            again = True
        elif held is not None and now not in (held, [held]):
            st.session_state[key] = now if isinstance(held, list) else now[0]
    if again:
        st.rerun()


def show(key: str, text: str) -> None:
    """Have the link hold this text at ``key``; nothing for "".

    A browser that has not had the last answer yet says what the link was before it. Where the text
    is another than the last one, it is therefore written even if it seems to be there, and taken
    out even if it seems not to be.
    """
    last: dict[str, str] = st.session_state.setdefault(SHOWN, {})
    if not text == last.get(key, text) == st.query_params.get(key, ""):
        st.query_params[key] = text
        if not text:
            del st.query_params[key]
    last[key] = text


def number(key: str, default: int = 0) -> int:
    """The number at ``key`` of the link: at most eight digits, else the default."""
    text = st.query_params.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default


def count_up(key: str) -> None:
    """Go to the next number, as a button that draws again does."""
    st.query_params[key] = str(number(key) + 1)
