"""Which pages can show a model, and the link that opens it there."""

from __future__ import annotations

import streamlit as st

from genlib.store.checkpoint import Info
from genlib.ui.kit import likelihoods
from genlib.ui.menu import PAGES, Page


def places(info: Info) -> list[tuple[Page, str]]:
    """The pages that can show a model, in the order of the menu, and their parameters for it."""
    return [
        (page, parameter)
        for page in PAGES
        for parameter, shows in page.models.items()
        if shows(info)
    ]


def query(page: Page, parameter: str, info: Info) -> dict[str, str]:
    """The query parameters that choose a model, ``info`` as in ``loading.checkpoints``."""
    found = {parameter: info.name} if parameter else {}
    if page.images:
        found[page.images] = likelihoods.images_of(info)
    return found


def links(info: Info) -> None:
    """One link for each page that can show a model, ``info`` as in ``loading.checkpoints``."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Open it in", width="content")
        for page, parameter in places(info):
            st.page_link(
                page.file,
                label=page.title,
                icon=page.icon,
                query_params=query(page, parameter, info),
            )
