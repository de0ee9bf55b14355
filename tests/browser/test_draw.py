"""Drawing in a real browser: strokes change the digit that Python returns; undo and clear work.

The picture next to the canvas is that digit: Python frames it and sends it back.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.waiting import until

LINK = "latent-map?map.by=PCA&map.points=500&map.new=Draw+a+digit"
Pixels = Callable[[Page, str], np.ndarray]


@pytest.fixture
def sheet(open_page: Callable[..., Page], shipped: object) -> Page:
    """The Latent map with its drawing canvas open."""
    page = open_page(LINK, height=1300)
    page.get_by_role("tab", name="New points").click()
    page.locator("canvas.sheet").scroll_into_view_if_needed()
    expect(page.locator(".draw")).to_have_attribute("data-answered", "true")
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


def steady(page: Page, canvas_pixels: Pixels) -> np.ndarray:
    """The digit of all strokes drawn: no newer one is on its way."""
    expect(page.locator(".draw")).to_have_attribute("data-answered", "true")
    found = digit(page, canvas_pixels)
    assert found.any(), "the digit has no ink"
    return found


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
    two = steady(sheet, canvas_pixels)
    assert not np.array_equal(two, one)
    sheet.get_by_role("button", name="Undo").click()
    until(sheet, lambda: np.array_equal(seen(), one), "Undo does not lead back to the digit")
    stroke(sheet, (0.2, 0.4), (0.6, 0.4))
    until(sheet, lambda: np.abs(seen() - two).max() < 40, "the same stroke, another digit")
    sheet.get_by_role("button", name="Clear").click()
    until(sheet, lambda: seen().sum() == 0, "Clear leaves ink")
    sheet.get_by_role("button", name="Undo").click()
    until(sheet, lambda: seen().sum() > 0, "Undo does not bring the ink back")


def test_the_digit_follows_while_the_mouse_is_still_down(sheet, canvas_pixels):
    box = sheet.locator("canvas.sheet").bounding_box()
    sheet.mouse.move(box["x"] + 40, box["y"] + 30)
    sheet.mouse.down()
    seen = set()
    steps = count()

    def several_came_back() -> bool:
        way = next(steps) % 80
        step = min(way, 80 - way)  # there and back
        sheet.mouse.move(box["x"] + 40 + 3 * step, box["y"] + 30 + 2 * step)
        seen.add(digit(sheet, canvas_pixels).tobytes())
        return len(seen) >= 3

    until(sheet, several_came_back, "the digit does not follow before the button is released")
    sheet.mouse.up()


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
    until(sheet, lambda: np.array_equal(digit(sheet, canvas_pixels), before), "another digit")
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
    until(sheet, lambda: digit(sheet, canvas_pixels).sum() > 1000, "the finger drew nothing")
    style = sheet.locator("canvas.sheet").evaluate("(c) => getComputedStyle(c).touchAction")
    assert style == "none", "a finger on the canvas must not scroll the page"
