"""Class images in a real browser: the canvas moves, keeps its picture, freezes, goes back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

Pixels = Callable[[Page, str], np.ndarray]
CANVAS = "canvas.picture"
ONE = "class-images?class_images.show=One+class"


@pytest.fixture(autouse=True)
def _needs_checkpoints(shipped: object) -> None:
    """The page needs our classifier."""


def fact(page: Page, name: str) -> str:
    """A number that the film shows, from its data attributes: step, fps, running."""
    return str(page.locator(".film").evaluate("(film, name) => film.dataset[name]", name))


def wait_for_step(page: Page, least: int) -> None:
    page.wait_for_function(
        "([film, least]) => Number(film.dataset.step) >= least",
        arg=[page.locator(".film").element_handle(), least],
        timeout=30_000,
    )


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_start_moves_the_pixels_and_pause_freezes_them(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = open_page("class-images")
    page.wait_for_selector(CANVAS)
    page.wait_for_timeout(300)
    before = canvas_pixels(page, CANVAS)
    assert before.any() and fact(page, "step") == "0"
    press(page, "Start")
    wait_for_step(page, 10)
    assert float(fact(page, "fps")) > 0
    assert (canvas_pixels(page, CANVAS) != before).any()
    press(page, "Pause")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    page.wait_for_timeout(500)
    still, step = canvas_pixels(page, CANVAS), fact(page, "step")
    page.wait_for_timeout(700)
    assert (canvas_pixels(page, CANVAS) == still).all() and fact(page, "step") == step


def test_another_class_while_it_runs_keeps_the_picture_and_the_steps(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = open_page(ONE)
    page.wait_for_selector(CANVAS)
    start = canvas_pixels(page, CANVAS).astype(int)
    press(page, "Start")
    wait_for_step(page, 60)
    press(page, "Pause")  # frozen first, so that the same picture can be compared
    page.wait_for_timeout(600)
    eight, step = canvas_pixels(page, CANVAS).astype(int), int(fact(page, "step"))
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option", name="3", exact=True).click()
    page.wait_for_timeout(1200)
    three = canvas_pixels(page, CANVAS).astype(int)
    rows = slice(0, int(0.8 * len(three)))  # above the caption
    assert (three[rows] == eight[rows]).all(), "only the target changed"
    assert int(fact(page, "step")) == step
    press(page, "Start")
    wait_for_step(page, step + 5)
    now = canvas_pixels(page, CANVAS).astype(int)
    assert np.abs(now[rows] - three[rows]).mean() > 0
    assert np.abs(now[rows] - three[rows]).mean() < np.abs(now[rows] - start[rows]).mean()
    assert "class_images.class=3" in page.url


def test_a_thumbnail_of_the_filmstrip_brings_an_earlier_frame_back(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = open_page(ONE)
    page.wait_for_selector(CANVAS)
    page.wait_for_timeout(300)
    start = canvas_pixels(page, CANVAS)
    press(page, "Step")
    page.wait_for_timeout(1000)
    press(page, "Step")
    page.wait_for_timeout(1000)
    assert fact(page, "step") == "2" and (canvas_pixels(page, CANVAS) != start).any()
    page.get_by_role("button", name="Go back to step 0").click()
    page.wait_for_timeout(1200)
    assert fact(page, "step") == "0"
    rows = slice(0, int(0.6 * len(start)))
    assert (canvas_pixels(page, CANVAS)[rows] == start[rows]).all()


def test_a_second_tab_is_not_disturbed(
    open_page: Callable[..., Page], canvas_pixels: Pixels, app_url: str
) -> None:
    page = open_page("class-images")
    page.wait_for_selector(CANVAS)
    other = page.context.new_page()
    other.goto(f"{app_url}/class-images")
    other.wait_for_selector(CANVAS)
    other.wait_for_timeout(1000)
    still = canvas_pixels(other, CANVAS)
    page.bring_to_front()
    press(page, "Start")
    wait_for_step(page, 5)
    assert (canvas_pixels(other, CANVAS) == still).all() and fact(other, "step") == "0"
