"""The router, which runs for every visitor and every page: page config, menu, footer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from genlib.ui import menu
from genlib.ui.components import history
from genlib.ui.kit import links, rights, server, stage, web

st.set_page_config(
    page_title="genlib",
    page_icon=Path(server.__file__).with_name("icon.png"),
    layout="wide",
    initial_sidebar_state="collapsed",
)

server.tune()
server.style()
links.keep_finite()
rights.show_what_was_said()

sections: dict[str, list[StreamlitPage]] = {}
for row in menu.PAGES:
    home = row.path == "home"
    shown: Literal["visible", "hidden"] = "hidden" if home else "visible"  # the logo leads there
    entry = st.Page(
        row.file, title=row.title, icon=row.icon, url_path=row.path, default=home, visibility=shown
    )
    sections.setdefault(row.section, []).append(entry)
page = st.navigation(sections, position="top")
rows = {row.path: row for row in menu.PAGES}
shows = rows[page.url_path or "home"]
web.opens(shows.path)
history.follow()
stage.follow_keys(shows.control, shows.path)
try:
    server.check_environment()
    links.follow_renamed(shows.models)
    page.run()
finally:
    server.footer()  # also after st.stop()
