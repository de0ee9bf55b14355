"""Class images in a real browser: the canvas moves, keeps its picture, freezes, goes back."""

from __future__ import annotations

import re
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


WATCH = """(film) => {
    window.steps = [];
    setInterval(() => window.steps.push(Number(film.dataset.step)), 10);
}"""


def choose_class(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option", name=name, exact=True).click()


def test_another_class_while_it_runs_never_starts_over(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = open_page(ONE)
    page.wait_for_selector(CANVAS)
    page.locator(".film").evaluate(WATCH)
    press(page, "Start")
    wait_for_step(page, 40)
    before = canvas_pixels(page, CANVAS)
    choose_class(page, "3")
    page.wait_for_timeout(1500)
    step = int(fact(page, "step"))
    wait_for_step(page, step + 5)
    steps = page.evaluate("window.steps")
    assert steps == sorted(steps), "a reset would have gone back to step 0"
    assert (canvas_pixels(page, CANVAS) != before).any()
    assert fact(page, "running") == "true" and "class_images.class=3" in page.url


def test_another_class_keeps_every_pixel(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = open_page(ONE)
    page.wait_for_selector(CANVAS)
    for step in (1, 2, 3):
        press(page, "Step")
        wait_for_step(page, step)
    eight = canvas_pixels(page, CANVAS)
    choose_class(page, "3")
    expect(page).to_have_url(re.compile("class_images.class=3"))
    page.wait_for_timeout(800)
    rows = slice(0, int(0.8 * len(eight)))  # above the caption, which now says 3
    three = canvas_pixels(page, CANVAS)
    assert (three[rows] == eight[rows]).all() and (three != eight).any()
    assert fact(page, "step") == "3"


def test_a_thumbnail_of_the_filmstrip_brings_an_earlier_frame_back(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = open_page(ONE)
    page.wait_for_selector(CANVAS)
    page.wait_for_timeout(300)
    start = canvas_pixels(page, CANVAS)
    press(page, "Step")
    wait_for_step(page, 1)
    press(page, "Step")
    wait_for_step(page, 2)
    assert (canvas_pixels(page, CANVAS) != start).any()
    page.get_by_role("button", name="Go back to step 0").click()
    page.wait_for_function(
        "(film) => film.dataset.step === '0'", arg=page.locator(".film").element_handle()
    )
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


def test_a_knob_reaches_the_ascent_before_it_is_released(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    def saturated() -> float:
        grey = canvas_pixels(page, CANVAS)[..., 0]
        return float(((grey < 3) | (grey > 252)).mean())

    page = open_page("class-images?class_images.blur=0&class_images.jitter=0")
    page.wait_for_selector(CANVAS)
    press(page, "Start")
    wait_for_step(page, 10)
    assert saturated() < 0.8
    knob = page.get_by_role("slider", name="Learning rate")
    knob.scroll_into_view_if_needed()
    box = knob.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2, steps=8)
    for _ in range(100):
        if saturated() > 0.9:
            break
        page.wait_for_timeout(100)
    assert saturated() > 0.9, "a huge step throws every pixel against the clip"
    assert "class_images.lr" not in page.url, "the button is still down"
    page.mouse.up()
    page.wait_for_url("**class_images.lr=500**")
