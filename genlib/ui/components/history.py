"""Back and Forward: one press leads to the view and the place before, on the page before.

Streamlit restores bound widgets by itself. What our components hold is restored from the link:
their keys change with every press, so that they are drawn from the link again.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from genlib.ui.kit.web import component

PRESSES = "history.presses"  # Back and Forward in this session so far


def follow() -> None:
    """Count Back and Forward, and have the browser keep one history entry for each thing that a
    person does. The router calls it before it runs the page."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is not None and context.is_history_navigation:
        st.session_state[PRESSES] = presses() + 1
    follower = component("history", "<span hidden></span>\n", styled=False)
    with st.container(key="unseen"):
        follower(key="history", height="content")


def presses() -> int:
    """How often Back or Forward was pressed in this session."""
    return int(st.session_state.get(PRESSES, 0))


def of_this_visit(key: str) -> str:
    """A component's key, another one after each Back or Forward."""
    return f"{key}.{presses()}" if presses() else key
