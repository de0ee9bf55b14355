"""The frame of every page: a compact header, controls on the left, the picture on the right.

    header("Denoise", "A model gives back the clean digit.", r"...", "source")
    controls, picture = stage()
    with controls: ...    # scrolls by itself
    with picture: ...     # stays in the first screen
    stage_first()
    ...                   # then what the numbers say
    with how_to_read(): ...

Sizes and the phone's order (picture first, sticky) are in style.css, by the keys given here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.ui.kit import lessons as teaching
from genlib.ui.kit import modules, web
from genlib.ui.kit.lessons import Lesson
from genlib.ui.kit.web import component

CONTROLS, STAGE = "controls", "stage"
HEAD_START = 0.3  # seconds
SHARES = (3, 8)  # of the width: controls, picture


def css_class(key: str) -> str:
    """The selector of the widget or container of this key."""
    return ".st-key-" + "".join(c if c.isalnum() or c in "-_" else "-" for c in key)


def presenting() -> bool:
    """Whether the page is shown to an audience: only its title and its stage, large."""
    return st.query_params.get("present") == "1"


def _present() -> None:
    if presenting():
        del st.query_params["present"]
    else:
        st.query_params["present"] = "1"


def follow_keys(control: str, path: str) -> None:
    """Present mode's keys, for the router: arrows move the control of this key, Space plays.

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


def header(
    title: str,
    idea: str,
    equation: str = "",
    source: str = "",
    lessons: Sequence[Lesson] = (),
) -> None:
    """A page's title and its idea in one sentence; equation, source and lessons open on demand."""
    with st.container(key="header", gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.title(title, width="content", anchor=False)
            if equation or source:
                name = "Equation *and source*"  # the second half is hidden on a phone
                with st.popover(name, icon=":material/function:", type="tertiary"):
                    if equation:
                        st.latex(equation)
                    if source:
                        st.caption(source)
            if lessons:
                teaching.listed(lessons)
            st.button(
                "Leave" if presenting() else "Present",
                icon=":material/present_to_all:",
                key="present",
                type="tertiary",
                on_click=_present,
                shortcut="P",  # and while a slider has the focus: web/present
                help="Key P. Only the picture, as large as fits. Arrow keys move its main "
                "control, Space plays.",
            )
        st.markdown(idea)
    if lessons:
        with st.container(key="lesson"):
            teaching.asked(lessons)
    if presenting():
        st.html(Path(__file__).with_name("present.css"))


def whole_page(settings: object, drawn: list[object]) -> None:
    """In a fragment that holds the stage: run the whole page when these settings change.

    ``drawn`` is a list that each run of the page makes, empty, and hands to the fragment; here it
    gets the settings, for what the page shows outside of the fragment.
    """
    if not drawn:
        drawn.append(settings)
    elif drawn[0] != settings:
        st.rerun()


def wait_for_drawing(thing: str = "digit") -> None:
    """What a stage shows before anything has been drawn."""
    st.info(f"Draw a {thing} on the canvas. The results appear here.", icon=":material/draw:")


def stage(shares: tuple[int, int] = SHARES) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Containers for the controls and the picture, side by side.

    The picture, with the control that moves it, is visible without scrolling; controls that need
    more room scroll next to it.
    """
    left, right = st.columns(shares, gap="medium")
    return left.container(key=CONTROLS), right.container(key=STAGE)


def stage_first() -> None:
    """Call it before what is below the stage: of a page that opens, browsers draw the stage first.

    A browser draws all that it has been told in one go; charts and texts take it longer than the
    stage.
    """
    if web.just_opened():
        time.sleep(HEAD_START)


def how_to_read() -> DeltaGenerator:
    """The closed part at the end of a page, for its explanations."""
    stage_first()
    return st.expander("How to read it", icon=":material/menu_book:")
