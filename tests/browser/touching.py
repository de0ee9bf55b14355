"""A finger on the screen: real touch events, which pages get only where they don't scroll."""

from __future__ import annotations

from playwright.sync_api import Page

STEPS = 8


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Put a finger down at ``start``, move it to ``end`` and lift it; CSS pixels of the window."""
    session = page.context.new_cdp_session(page)  # a touch belongs to the session that began it
    for k in range(STEPS + 1):
        x, y = (a + (b - a) * k / STEPS for a, b in zip(start, end, strict=True))
        event = {"type": "touchMove" if k else "touchStart", "touchPoints": [{"x": x, "y": y}]}
        session.send("Input.dispatchTouchEvent", event)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
