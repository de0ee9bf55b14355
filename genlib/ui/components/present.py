"""Present mode: a large stage, arrow keys for the main control, Space to play, P to leave."""

from __future__ import annotations

import streamlit as st

from genlib.ui.kit import modules
from genlib.ui.kit.stage import css_class, presenting
from genlib.ui.kit.web import component


def follow(control: str, path: str) -> None:
    """Let arrow keys move the control of this key while a page is presented. For the router.

    path: of the page; the browser fetches at once what it has needed before.
    """
    keys = component("present", "<span hidden></span>\n", styled=False)
    with st.container(key="unseen_keys"):
        data = {
            "control": css_class(control) if control else "",
            "on": presenting(),
            "modules": modules.addresses(path),
        }
        keys(key="present.keys", data=data, height="content")
