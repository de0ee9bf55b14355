"""Drawing in a real browser: strokes change the digit that Python returns; undo and clear work.

The picture beside the canvas is that digit: Python frames it and sends it back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

LINK = "latent-map?map.by=PCA&map.points=500&map.new=Draw+a+digit"
Pixels = Callable[[Page, str], np.ndarray]


@pytest.fixture
def sheet(open_page: Callable[..., Page], shipped: object) -> Page:
    """The Latent map with its drawing canvas open."""
    page = open_page(LINK, height=1300)
    page.get_by_role("tab", name="New points").click()
    page.locator("canvas.sheet").scroll_into_view_if_needed()
    return page


def stroke(page: Page, *points: tuple[float, float]) -> None:
    """Draw a line through points given in canvas sides."""
    box = page.locator("canvas.sheet").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def digit(page: Page, canvas_pixels: Pixels) -> np.ndarray:
    return canvas_pixels(page, "canvas.seen")[..., 0].astype(int)


def until(page: Page, holds: Callable[[], bool], seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, "the digit did not change as it should"
        page.wait_for_timeout(50)


def steady(page: Page, canvas_pixels: Pixels) -> np.ndarray:
    """The digit once there is ink and no newer picture is on its way."""
    last, since = digit(page, canvas_pixels), time.monotonic()
    limit = since + 20
    while not last.any() or time.monotonic() < since + 0.7:
        assert time.monotonic() < limit, "the digit never came to rest"
        page.wait_for_timeout(50)
        now = digit(page, canvas_pixels)
        if not np.array_equal(now, last):
            last, since = now, time.monotonic()
    return last


def test_drawing_changes_the_digit_and_undo_and_clear_take_it_back(sheet, canvas_pixels):
    def seen() -> np.ndarray:
        return digit(sheet, canvas_pixels)

    assert seen().sum() == 0
    assert sheet.get_by_role("button", name="Undo").is_disabled()
    stroke(sheet, (0.2, 0.1), (0.2, 0.4))  # off centre and short
    one = steady(sheet, canvas_pixels)
    rows = np.nonzero(one > 60)[0]
    assert rows.max() - rows.min() >= 17, "scaled to MNIST's box of 20 pixels"
    assert abs((one.sum(0) @ np.arange(28)) / one.sum() - 13.5) < 1, "centred by mass"

    stroke(sheet, (0.2, 0.4), (0.6, 0.4))
    until(sheet, lambda: not np.array_equal(seen(), one))
    two = steady(sheet, canvas_pixels)
    sheet.get_by_role("button", name="Undo").click()
    until(sheet, lambda: np.array_equal(seen(), one))
    stroke(sheet, (0.2, 0.4), (0.6, 0.4))
    until(sheet, lambda: np.abs(seen() - two).max() < 40)
    sheet.get_by_role("button", name="Clear").click()
    until(sheet, lambda: seen().sum() == 0)
    sheet.get_by_role("button", name="Undo").click()
    until(sheet, lambda: seen().sum() > 0)


def test_the_digit_follows_while_the_mouse_is_still_down(sheet, canvas_pixels):
    box = sheet.locator("canvas.sheet").bounding_box()
    sheet.mouse.move(box["x"] + 40, box["y"] + 30)
    sheet.mouse.down()
    seen = set()
    for step in range(40):
        sheet.mouse.move(box["x"] + 40 + 3 * step, box["y"] + 30 + 2 * step)
        sheet.wait_for_timeout(40)
        seen.add(digit(sheet, canvas_pixels).tobytes())
    sheet.mouse.up()
    assert len(seen) >= 3, "several digits came back before the button was released"


def test_raw_strokes_show_what_framing_does(sheet, canvas_pixels):
    stroke(sheet, (0.15, 0.1), (0.15, 0.3))
    framed = steady(sheet, canvas_pixels)
    sheet.get_by_text("Raw strokes").click()
    raw = digit(sheet, canvas_pixels)
    assert raw.sum() > 0
    assert np.nonzero(raw)[1].max() < 8, "raw strokes stay where they were drawn, on the left"
    assert np.nonzero(framed)[1].max() > 12


def test_strokes_come_back_after_leaving_the_page(sheet, canvas_pixels, settle):
    stroke(sheet, (0.5, 0.1), (0.5, 0.9))
    before = steady(sheet, canvas_pixels)
    sheet.get_by_role("tab", name="New points").scroll_into_view_if_needed()
    sheet.get_by_text("Samples", exact=True).first.click()
    sheet.locator("canvas.sheet").wait_for(state="detached")
    sheet.get_by_text("Draw a digit", exact=True).first.click()
    sheet.locator("canvas.sheet").wait_for()
    until(sheet, lambda: np.array_equal(digit(sheet, canvas_pixels), before))
    ink = canvas_pixels(sheet, "canvas.sheet")[..., 0]
    assert (ink > 200).sum() > 500, "the strokes themselves are back on the canvas"


def test_a_finger_draws_too(sheet, canvas_pixels):
    sheet.locator("canvas.sheet").evaluate(
        """(canvas) => {
            const box = canvas.getBoundingClientRect();
            const fire = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
                pointerId: 7, pointerType: "touch", button: type === "pointermove" ? -1 : 0,
                buttons: 1, bubbles: true,
                clientX: box.left + x * box.width, clientY: box.top + y * box.height,
            }));
            canvas.setPointerCapture = () => {}; // only real pointers can be captured
            fire("pointerdown", 0.3, 0.2);
            for (let k = 0; k <= 10; k++) fire("pointermove", 0.3 + k * 0.04, 0.2 + k * 0.05);
            fire("pointerup", 0.7, 0.7);
        }"""
    )
    until(sheet, lambda: digit(sheet, canvas_pixels).sum() > 1000)
    style = sheet.locator("canvas.sheet").evaluate("(c) => getComputedStyle(c).touchAction")
    assert style == "none", "a finger on the canvas must not scroll the page"
