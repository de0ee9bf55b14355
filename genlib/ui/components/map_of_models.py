"""HTML whose links open pages of the app within the session, and in a new tab when asked to."""

from __future__ import annotations

from collections.abc import Container

import streamlit as st

from genlib.ui.kit.web import component, said


def map_of_models(key: str, html: str, pages: Container[str]) -> str:
    """Show HTML of our own making; returns the page file whose link was clicked, or "".

    html: with links <a href="path" data-page="folder/file.py">. pages: the files that may be
    opened; anything else that a browser sends is ignored.
    """
    show = component("map_of_models", '<div class="taxonomy"></div>')
    show(key=key, data={"html": html}, on_open_change=lambda: _keep(key))
    wanted = st.session_state.pop(f"{key}.wanted", "")
    return wanted if isinstance(wanted, str) and wanted in pages else ""


def _keep(key: str) -> None:
    """Keep what was clicked until a run of the page gets to it: a trigger is gone with the run that
    it started, and that run may end early because there are new pictures to show."""
    st.session_state[f"{key}.wanted"] = said(key, "open")
