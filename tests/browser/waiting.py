"""Waiting in browser tests: for what must come, as long as a slow machine needs, never for a time.

A pause of a fixed length proves only that something does NOT happen.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page, WebSocket

PATIENCE = 300_000  # ms; a busy machine may need many times what a quiet one does
TWO_FRAMES = "() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
# An init script: frames are stamped with a time of a moment ago, as where the browser is busy.
LATE_FRAMES = """
const ask = window.requestAnimationFrame
window.requestAnimationFrame = (draw) => ask((now) => draw(now - 100))
"""


def until(page: Page, holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until ``holds()``; fail with ``otherwise`` when patience ends."""
    limit = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < limit, otherwise
        page.wait_for_timeout(50)


def sent(page: Page) -> list[object]:
    """What the page, once it is opened, sends to the server from now on; the list grows."""
    frames: list[object] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: frames.append(payload))

    page.on("websocket", listen)
    return frames


def painted(page: Page) -> None:
    """Wait until what the last key or the pointer has asked for is on the canvas."""
    page.evaluate(TWO_FRAMES)


def wait_for_frame(page: Page, condition: str, value: float | str = "") -> None:
    """Wait until a JavaScript condition on the film's facts (d) and a value (v) holds."""
    page.wait_for_function(
        f"([film, v]) => {{ const d = film.dataset; return {condition} }}",
        arg=[page.locator(".film").element_handle(), value],
        polling=50,
    )


def wait_for_step(page: Page, least: int) -> None:
    wait_for_frame(page, "Number(d.step) >= v", least)


def go(page: Page, section: str, title: str) -> None:
    """Choose a page in the menu."""
    page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title).click()
