"""HTML whose links open pages of the app within the session, and in a new tab when asked to."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
NAME = "genlib_taxonomy"


def taxonomy(key: str, html: str, pages: Container[str]) -> str:
    """Show HTML of our own making; returns the page file whose link was clicked, or "".

    html: with links <a href="path" data-page="folder/file.py">. pages: the files that may be
    opened; anything else that a browser sends is ignored.
    """
    _mount()(key=key, data={"html": html}, on_open_change=lambda: _keep(key))
    wanted = st.session_state.pop(f"{key}.wanted", "")
    return wanted if isinstance(wanted, str) and wanted in pages else ""


def _keep(key: str) -> None:
    """Keep what was clicked until a run of the page gets to it: a trigger is gone with the run that
    it started, and that run may end early because there are new pictures to show."""
    state = st.session_state.get(key)
    if isinstance(state, Mapping):
        st.session_state[f"{key}.wanted"] = state.get("open")


@st.cache_resource(show_spinner=False)
def _mount() -> st.components.v2.types.ComponentRenderer:
    """Register the component once per server."""
    return st.components.v2.component(
        NAME,
        html='<div class="taxonomy"></div>',
        css=(_HERE / "taxonomy.css").read_text(),
        js=(_HERE / "taxonomy.js").read_text(),
    )
