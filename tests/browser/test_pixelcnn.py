"""The page of autoregressive models in a browser: the replay moves, the mouse is answered."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.waiting import painted

MAIN = "canvas.main"


def finish(page: Page) -> None:
    """Let the replay run to its end."""
    page.get_by_label("Speed").first.select_option("1000")
    expect(page.locator("output").first).to_have_text("784 of 784")


def point_at(page: Page, row: int, column: int) -> None:
    """Move the mouse to the middle of a pixel of the enlarged image; both count from 0."""
    page.locator(MAIN).first.scroll_into_view_if_needed()
    box = page.locator(MAIN).first.bounding_box()
    assert box
    x = box["x"] + (column + 0.5) * box["width"] / 28
    y = box["y"] + (row + 0.5) * box["height"] / 28
    page.mouse.move(x, y)
    painted(page)


def test_the_replay_draws_the_image_and_the_slider_goes_back_in_it(
    open_page: Callable[..., Page], canvas_pixels: Callable[..., np.ndarray]
) -> None:
    page = open_page("pixelcnn?pixelcnn.rows=9")
    page.locator(MAIN).first.wait_for()
    finish(page)
    point_at(page, 0, 0)  # the mark stays in one place
    whole = canvas_pixels(page, MAIN)
    page.get_by_label("Pixels drawn").first.fill("420")
    expect(page.locator("output").first).to_have_text("420 of 784")
    part = canvas_pixels(page, MAIN)
    cell = whole.shape[0] // 28
    # Row 15 and all above are drawn; below it the page is one grey.
    assert (part[: 14 * cell] == whole[: 14 * cell]).all()
    below = part[17 * cell :, :, :3].reshape(-1, 3)
    assert (below == below[0]).all() and below[0].min() > 50
    page.get_by_role("button", name="Play", exact=True).first.click()
    finish(page)
    point_at(page, 0, 0)
    expect(page.locator(".readout").first).to_contain_text("Row 1, column 1")
    assert (canvas_pixels(page, MAIN) == whole).all()


def test_the_small_images_are_chosen_by_keyboard(
    open_page: Callable[..., Page], canvas_pixels: Callable[..., np.ndarray]
) -> None:
    page = open_page("pixelcnn")
    page.locator(MAIN).first.wait_for()
    finish(page)
    first = canvas_pixels(page, MAIN)
    grid = page.get_by_role("application", name=re.compile("All images; number 1 of 16 "))
    grid.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("application", name=re.compile("number 2 of 16 "))).to_be_focused()
    assert (canvas_pixels(page, MAIN) != first).any()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")  # there is no row above the first
    expect(grid).to_be_focused()
    assert (canvas_pixels(page, MAIN) == first).all()


def test_at_another_temperature_every_number_says_of_which_it_is(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("pixelcnn?pixelcnn.temperature=0.5")
    page.locator(MAIN).first.wait_for()
    finish(page)
    point_at(page, 20, 14)
    readout = page.locator(".readout").first
    expect(readout).to_contain_text("p(ink | 574 pixels before it) at T = 1")
    expect(readout).to_contain_text("p(ink) at T = 0.5, as it is drawn")
    expect(readout).to_contain_text("nats at T = 1")
    expect(readout).to_contain_text("−log p at T = 1 of the image")
    # The pixel with the dearest prediction: far enough from 0 and 1 for two decimals to tell.
    page.mouse.move(0, 0)
    painted(page)
    own, tempered, cost = (
        float(readout.locator(selector).last.inner_text().strip("<> "))
        for selector in (".p", ".tempered", "div:nth-child(4) b")
    )
    ink = "ink" in readout.locator("div:nth-child(4) b").first.inner_text()
    assert cost == pytest.approx(-math.log(own if ink else 1 - own), rel=0.1, abs=0.02)
    odds = (own / (1 - own)) ** 2  # T = 0.5 doubles the logit
    assert tempered == pytest.approx(odds / (1 + odds), abs=0.02)
    page.get_by_role("button", name="p of ink").first.click()
    expect(page.locator(".legend .what").first).to_contain_text("at T = 0.5")


def test_the_mouse_is_told_p_and_the_receptive_field(
    open_page: Callable[..., Page], canvas_pixels: Callable[..., np.ndarray]
) -> None:
    page = open_page("pixelcnn")
    page.locator(MAIN).first.wait_for()
    finish(page)
    point_at(page, 20, 14)
    readout = page.locator(".readout").first
    expect(readout).to_contain_text("Row 21, column 15")
    expect(readout).to_contain_text("p(ink | 574 pixels before it)")
    said = re.search(r"before it\)\s*([<>]?) ?(\d\.\d+)", readout.inner_text())
    assert said and 0 <= float(said[2]) <= 1
    before = canvas_pixels(page, MAIN)
    page.get_by_label("Receptive field").first.check()
    point_at(page, 20, 14)
    expect(page.locator(".legend").first).to_contain_text("without influence")
    after = canvas_pixels(page, MAIN)
    cell = after.shape[0] // 28
    # Later pixels are dimmed, the pixel to the left is tinted, the far corner is hatched blue.
    assert after[27 * cell, 2, :3].max() < 60
    left = after[20 * cell + cell // 2, 13 * cell + 3, :3].astype(int)
    assert left[0] > left[2] + 10
    assert (after[: cell // 2, -cell:] != before[: cell // 2, -cell:]).any()
