"""Class images in a real browser: the canvas moves, keeps its picture, freezes, goes back.

Nothing here depends on speed: each test waits for what must come, as long as a slow machine needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.waiting import wait_for_frame, wait_for_step

pytestmark = pytest.mark.usefixtures("shipped")  # the page needs our classifier

Pixels = Callable[[Page, str], np.ndarray]
CANVAS = "canvas.picture"
EIGHT = "class-images?class_images.class=8"


def fact(page: Page, name: str) -> str:
    """What the film says of the frame on its canvas: step, version, fps, running."""
    return str(page.locator(".film").evaluate("(film, name) => film.dataset[name]", name))


def opened(open_page: Callable[..., Page], path: str) -> Page:
    """The page with its first frame on the canvas."""
    page = open_page(path)
    page.wait_for_selector(CANVAS)
    wait_for_step(page, 0)
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_start_moves_the_pixels_and_pause_freezes_them(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = opened(open_page, "class-images?class_images.show=All+at+once")
    before = canvas_pixels(page, CANVAS)
    assert before.any() and fact(page, "step") == "0"
    press(page, "Start")
    wait_for_step(page, 10)
    wait_for_frame(page, "Number(d.fps) > 0")
    assert (canvas_pixels(page, CANVAS) != before).any()
    press(page, "Pause")
    wait_for_frame(page, "d.running === 'false'")  # said with the last frame
    still, step = canvas_pixels(page, CANVAS), fact(page, "step")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    page.wait_for_timeout(700)
    assert (canvas_pixels(page, CANVAS) == still).all() and fact(page, "step") == step
    press(page, "Step")
    wait_for_frame(page, "d.step !== v", step)
    assert int(fact(page, "step")) == int(step) + 1, "the server's ascent stood still as well"


def test_frames_cost_no_rerun(
    open_page: Callable[..., Page], page: Page, settle: Callable[..., None]
) -> None:
    messages: list[int] = []

    def count(socket: WebSocket) -> None:
        socket.on("framereceived", lambda _: messages.append(1))

    page.on("websocket", count)
    opened(open_page, "class-images")
    press(page, "Start")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    wait_for_step(page, 5)
    settle(page)  # the rerun of the button itself comes to its end
    assert messages, "pages come over the socket"
    seen, version = len(messages), int(fact(page, "version"))
    wait_for_frame(page, "Number(d.version) >= v", version + 20)
    assert len(messages) == seen, "twenty frames and more came without a rerun"


WATCH = """(film) => {
    window.steps = [];
    setInterval(() => window.steps.push(Number(film.dataset.step)), 10);
}"""


def choose_class(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option", name=name, exact=True).click()
    expect(page).to_have_url(re.compile(f"class_images.class={name}"))


def test_another_class_while_it_runs_never_starts_over(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = opened(open_page, EIGHT)
    page.locator(".film").evaluate(WATCH)
    press(page, "Start")
    wait_for_step(page, 40)
    before = canvas_pixels(page, CANVAS)
    choose_class(page, "5")
    wait_for_step(page, int(fact(page, "step")) + 20)
    steps = page.evaluate("window.steps")
    assert steps == sorted(steps), "a reset would have gone back to step 0"
    assert (canvas_pixels(page, CANVAS) != before).any()
    assert fact(page, "running") == "true"


def test_another_class_keeps_every_pixel(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = opened(open_page, EIGHT)
    for step in (1, 2, 3):
        press(page, "Step")
        wait_for_step(page, step)
    eight, version = canvas_pixels(page, CANVAS), int(fact(page, "version"))
    choose_class(page, "5")
    wait_for_frame(page, "Number(d.version) > v", version)
    rows = slice(0, int(0.8 * len(eight)))  # above the caption, which now says 5
    five = canvas_pixels(page, CANVAS)
    assert (five[rows] == eight[rows]).all() and (five != eight).any()
    assert fact(page, "step") == "3"


def test_a_thumbnail_of_the_filmstrip_brings_an_earlier_frame_back(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = opened(open_page, EIGHT)
    start = canvas_pixels(page, CANVAS)
    for step in (1, 2):
        press(page, "Step")
        wait_for_step(page, step)
    assert (canvas_pixels(page, CANVAS) != start).any()
    page.get_by_role("button", name="Go back to step 0").click()
    wait_for_frame(page, "d.step === '0'")
    rows = slice(0, int(0.6 * len(start)))
    assert (canvas_pixels(page, CANVAS)[rows] == start[rows]).all()


def test_a_second_tab_is_not_disturbed(
    open_page: Callable[..., Page], canvas_pixels: Pixels, app_url: str
) -> None:
    page = opened(open_page, "class-images")
    other = page.context.new_page()
    other.goto(f"{app_url}/class-images")
    other.wait_for_selector(CANVAS)
    wait_for_step(other, 0)
    still = canvas_pixels(other, CANVAS)
    page.bring_to_front()
    press(page, "Start")
    wait_for_step(page, 5)
    assert (canvas_pixels(other, CANVAS) == still).all() and fact(other, "step") == "0"


# Share of the canvas's pixels that are black or white, as no picture with small steps is.
SATURATED = """([canvas, least]) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) count += data[i] < 3 || data[i] > 252;
    return count / (data.length / 4) > least;
}"""


def test_a_knob_reaches_the_ascent_before_it_is_released(open_page: Callable[..., Page]) -> None:
    small = "class_images.blur=0&class_images.jitter=0&class_images.lr=0.001&class_images.l2=0"
    page = opened(open_page, f"class-images?{small}")
    press(page, "Start")
    wait_for_step(page, 3)
    mostly = [page.locator(CANVAS).element_handle(), 0.9]
    assert not page.evaluate(SATURATED, mostly)
    knob = page.get_by_role("slider", name="Learning rate")
    knob.scroll_into_view_if_needed()
    box = knob.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 4, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, middle, steps=5)
    # A huge step throws every pixel against the clip; a small one never does.
    page.wait_for_function(SATURATED, arg=mostly, polling=200)
    assert "class_images.lr=0.001" in page.url, "the button is still down"
    page.mouse.up()
    expect(page).to_have_url(re.compile("class_images.lr=500"))


def test_another_network_goes_on_from_the_picture(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = opened(open_page, "class-images?class_images.beside=nothing")
    for step in (1, 2, 3):
        press(page, "Step")
        wait_for_step(page, step)
    version = fact(page, "version")
    picture = canvas_pixels(page, CANVAS)
    page.get_by_role("combobox", name="Network").click()
    page.get_by_role("option", name="classifier", exact=True).click()
    expect(page).to_have_url(re.compile("class_images.network=classifier"))
    wait_for_frame(page, "d.step === '3' && d.version !== v", version)
    rows = slice(0, int(0.8 * len(picture)))  # above the caption, which has another probability
    assert (canvas_pixels(page, CANVAS)[rows] == picture[rows]).all()


def test_a_lesson_climbs_by_itself_to_its_step_and_rests(open_page: Callable[..., Page]) -> None:
    page = opened(open_page, "class-images?lesson=two_networks")
    assert fact(page, "step") == "0", "the question comes before the picture moves"
    page.get_by_role("button", name="Only the robust one").click()
    wait_for_frame(page, "d.step === '100' && d.running === 'false'")
    expect(page.locator(".explanation")).to_contain_text("99%")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
