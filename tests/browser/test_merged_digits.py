"""Merged digits in a real browser: the slider moves pictures, numbers and the link."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.waiting import LATE_FRAMES, until

Read = Callable[[Page, str], np.ndarray]
SLIDER = ".theatre input[type=range]"


@pytest.fixture
def open_merged(shipped: Path, open_page: Callable[..., Page]) -> Callable[[str], Page]:
    """open_merged("?merged.alpha=0.3") -> the page with its theatre drawn and all runs ended."""

    def open_it(query: str = "") -> Page:
        page = open_page(f"merged-digits{query}")
        expect(page.locator(".theatre article").first).to_be_visible()
        return page

    return open_it


def drag(page: Page, start: float, end: float) -> None:
    """Press on the slider at one share of its width, move to another; the button stays down."""
    slider = page.locator(SLIDER)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, y, steps=8)


def test_dragging_changes_pixels_at_once_and_the_link_at_rest(
    open_merged: Callable[[str], Page], canvas_pixels: Read, settle: Callable[..., None]
) -> None:
    page = open_merged("?merged.alpha=0.1")
    names = (".merge", ".x_hat", ".residual")
    before = [canvas_pixels(page, f".theatre {name}") for name in names]
    energy = page.locator(".theatre .energy b").first.inner_text()
    drag(page, 0.1, 0.5)
    held = [canvas_pixels(page, f".theatre {name}") for name in names]
    for old, new in zip(before, held, strict=True):
        assert (old != new).mean() > 0.02
    assert page.locator(".theatre .energy b").first.inner_text() != energy
    assert "merged.alpha=0.1" in page.url  # the hand still holds the slider
    page.mouse.up()
    shown = float(page.locator(".theatre output").inner_text())
    assert 0.4 < shown < 0.6
    page.wait_for_function(f"location.search.includes('merged.alpha={shown:g}')")
    settle(page)
    page.reload()
    expect(page.locator(".theatre output")).to_have_text(f"{shown:.2f}")


def test_reconstruction_and_residual_add_up_to_the_merge(
    open_merged: Callable[[str], Page], canvas_pixels: Read
) -> None:
    page = open_merged("?merged.alpha=0.5")
    merge = canvas_pixels(page, ".theatre .merge")[..., 0].astype(int)
    x_hat = canvas_pixels(page, ".theatre .x_hat")[..., 0].astype(int)
    residual = canvas_pixels(page, ".theatre .residual").astype(int)
    strong = np.abs(merge - x_hat) > 30
    assert strong.any()
    redder = residual[..., 0] > residual[..., 2]
    assert (redder[strong] == (x_hat > merge)[strong]).all()


def test_max_disables_the_slider_and_says_why(
    open_merged: Callable[[str], Page], settle: Callable[..., None]
) -> None:
    page = open_merged("")
    page.get_by_role("radio", name="Max").click()
    expect(page.locator(".theatre .why")).to_contain_text("has no α")
    expect(page.locator(SLIDER)).to_be_disabled()
    settle(page)


# Presses Play again once the pictures have come so far: five seconds after the first press they
# are back where they began, which on a busy machine is before the test looks at them.
STOP_ON_THE_WAY = """() => {
    const roots = [...document.querySelectorAll("*")].map((e) => e.shadowRoot).filter(Boolean)
    const theatre = roots.map((root) => root.querySelector(".theatre")).find(Boolean)
    const output = theatre.querySelector("output"), play = theatre.querySelector(".play")
    const look = () => {
        if (Number(output.textContent) > 0.3) play.click()
        else requestAnimationFrame(look)
    }
    look()
}"""


@pytest.mark.parametrize("frames", ["", LATE_FRAMES], ids=["prompt", "late"])
def test_play_moves_the_pictures_by_itself(
    page: Page, open_merged: Callable[[str], Page], canvas_pixels: Read, frames: str
) -> None:
    page.add_init_script(frames)
    page = open_merged("?merged.alpha=0")
    first = canvas_pixels(page, ".theatre .merge")
    page.evaluate(STOP_ON_THE_WAY)
    page.locator(".theatre .play").click()
    page.wait_for_function(
        """() => [...document.querySelectorAll('*')].some((e) =>
            Number(e.shadowRoot?.querySelector('.theatre output')?.textContent) > 0.3)"""
    )
    assert (canvas_pixels(page, ".theatre .merge") != first).any()
    expect(page.locator(".theatre .play")).to_have_text("Play")


def test_plots_below_hold_one_line_per_model(open_merged: Callable[[str], Page]) -> None:
    page = open_merged("")
    cards = page.locator(".theatre article").count()
    roc = page.locator(".js-plotly-plot").nth(1)
    expect(roc.locator(".scatterlayer .trace")).to_have_count(cards)


def test_drawing_changes_the_theatre_and_leaves_the_rest_alone(
    open_page: Callable[..., Page],
    page: Page,
    canvas_pixels: Read,
    settle: Callable[..., None],
) -> None:
    messages: list[bytes] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: messages.append(bytes(data)))

    page.on("websocket", listen)
    open_page("merged-digits?merged.a.from=Draw&merged.alpha=0.2")
    expect(page.get_by_text("Draw a digit on the canvas")).to_be_visible()
    settle(page)
    below = b"Merged by alpha"  # the sentence under the curves of 2,000 digits
    until(page, lambda: any(below in message for message in messages), "no curves of 2,000 digits")
    settle(page)
    messages.clear()
    expect(page.locator(".theatre")).to_have_count(0)  # no results for another digit
    sheet = page.locator("canvas.sheet")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"], steps=8)
    page.mouse.up()
    expect(page.locator(".theatre")).to_contain_text("a: drawn")
    settle(page)
    before = canvas_pixels(page, ".theatre .merge")
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.9 * box["height"], steps=8)
    page.mouse.up()
    until(
        page,
        lambda: (canvas_pixels(page, ".theatre .merge") != before).mean() > 0.02,
        "the merge does not follow the drawing",
    )
    settle(page)
    assert messages and not any(below in message for message in messages)
