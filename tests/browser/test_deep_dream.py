"""DeepDream in a real browser: the photograph changes, and the original can be uncovered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.waiting import wait_for_frame, wait_for_step

pytestmark = pytest.mark.usefixtures("shipped")  # the page needs our classifier

Pixels = Callable[[Page, str], np.ndarray]
CANVAS = "canvas.picture"
SMALL = "deep-dream?deep_dream.side=96"


def test_the_picture_dreams_and_the_slider_uncovers_the_original(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = open_page(SMALL)
    page.wait_for_selector(CANVAS)
    wait_for_step(page, 0)
    photo = canvas_pixels(page, CANVAS).astype(int)
    page.get_by_role("button", name="Start", exact=True).click()
    wait_for_step(page, 20)
    page.get_by_role("button", name="Pause", exact=True).click()
    wait_for_frame(page, "d.running === 'false'")  # said with the last frame
    dream = canvas_pixels(page, CANVAS).astype(int)
    assert np.abs(dream - photo).mean() > 2
    page.get_by_label("Uncover the original").fill("500")  # drawn within the event
    half = canvas_pixels(page, CANVAS).astype(int)
    width = int((photo[photo.shape[0] // 3, :, 3] > 0).sum())  # of the picture in the canvas
    left, right = slice(3, width // 2 - 30), slice(width // 2 + 30, width - 3)
    rows = slice(3, -3)
    assert np.abs(half[rows, left] - photo[rows, left]).mean() < 1
    assert (half[rows, right] == dream[rows, right]).all()


def test_another_layer_goes_on_from_the_same_picture(
    open_page: Callable[..., Page], canvas_pixels: Pixels
) -> None:
    page = open_page(SMALL)
    page.wait_for_selector(CANVAS)
    page.get_by_role("button", name="Step", exact=True).click()
    wait_for_step(page, 1)
    before = canvas_pixels(page, CANVAS)
    version = int(page.locator(".film").evaluate("(film) => film.dataset.version"))
    page.get_by_role("combobox", name="Layer").click()
    page.get_by_role("option", name="block 1", exact=True).click()
    wait_for_frame(page, "Number(d.version) > v", version)  # measured anew, at the other layer
    assert page.locator(".film").evaluate("(film) => film.dataset.step") == "1"
    rows = slice(0, before.shape[0] - 2)
    assert (canvas_pixels(page, CANVAS)[rows] == before[rows]).all()


def test_it_rests_before_the_picture_saturates_and_continues(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(SMALL)
    page.wait_for_selector(CANVAS)
    wait_for_step(page, 0)
    page.get_by_role("button", name="Start", exact=True).click()
    wait_for_frame(page, "d.step === '60' && d.running === 'false'")
    page.get_by_role("button", name="Continue", exact=True).click()
    wait_for_frame(page, "d.step === '120' && d.running === 'false'")
