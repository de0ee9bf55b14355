"""Picture first: on every screen the stage and the control that moves it are visible at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from genlib.ui import menu
from tests.browser.waiting import painted

SCREENS = ((1280, 720, 0.8), (1440, 900, 0.8), (390, 844, 0.6))  # width, height, share in sight
LEAST = 150  # pixels of height below which nothing is a stage
STAGED = [row for row in menu.PAGES if row.control]
IN_SIGHT = """(element) => {
    const {top, bottom, height, left, right} = element.getBoundingClientRect()
    const share = (low, high, all) => (Math.min(all, high) - Math.max(0, low)) / (high - low)
    const {clientWidth, clientHeight} = document.documentElement
    return {height, down: share(top, bottom, clientHeight), across: share(left, right, clientWidth)}
}"""
TOO_WIDE = """() => {
    const main = document.querySelector("[data-testid=stMain]")
    const page = document.documentElement
    return Math.max(main.scrollWidth - main.clientWidth, page.scrollWidth - innerWidth)
}"""


def css_class(key: str) -> str:
    """The class that Streamlit gives a widget of this key."""
    return ".st-key-" + "".join(c if c.isalnum() or c in "-_" else "-" for c in key)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("row", STAGED, ids=lambda row: row.path)
def test_the_picture_and_its_control_are_in_the_first_screen(
    open_page: Callable[..., Page], settle: Callable[..., None], row: menu.Page
) -> None:
    for width, height, share in SCREENS:
        tab = open_page(row.path, width=width, height=height, timeout=120_000)
        stage, control = tab.locator(".st-key-stage"), tab.locator(css_class(row.control)).first
        expect(stage).to_be_visible()
        expect(control).to_be_visible()
        painted(tab)
        found = stage.evaluate(IN_SIGHT)
        assert found["height"] >= LEAST and found["down"] >= share, f"{width} x {height}: {found}"
        found = control.evaluate(IN_SIGHT)
        assert found["down"] > 0.99 and found["across"] > 0.99, f"{row.control}: {found}"
        assert tab.evaluate(TOO_WIDE) <= 0, f"{width} x {height} scrolls sideways"
