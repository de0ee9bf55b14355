"""The GAN page in a real browser: the walk moves pixels by itself, one step moves the curves."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from genlib import environment

MODEL = "gan-mlp"
Read = Callable[..., np.ndarray]


@pytest.fixture
def open_gan(open_page: Callable[..., Page]) -> Callable[[str], Page]:
    """open_gan("gan.view=Walk") -> the page on that view, with the small GAN."""
    if not (environment.shipped_dir() / f"{MODEL}.safetensors").is_file():
        pytest.skip(f"{MODEL} is not in checkpoints/")
    return lambda query: open_page(f"gan?gan.model={MODEL}&{query}")


def test_the_walk_moves_pixels_and_its_place_is_a_link(
    open_gan: Callable[[str], Page], canvas_pixels: Read, settle: Callable[..., None]
) -> None:
    page = open_gan("gan.view=Walk&gan.walk.speed=2")
    place = page.locator(".z-walk output.at")
    expect(place).to_have_text("stop 0.00")
    first = canvas_pixels(page, ".z-walk canvas.now")
    page.locator(".z-walk .play").click()
    expect(place).to_have_text(re.compile(r"stop ([1-9]|\d\d)"))
    moving = canvas_pixels(page, ".z-walk canvas.now")
    assert (moving != first).any()
    page.locator(".z-walk .play").click()
    expect(page.locator(".z-walk .play")).to_have_text("Play")
    page.wait_for_function("location.search.includes('gan.walk.at=')")
    settle(page)
    named = re.search(r"gan\.walk\.at=([\d.]+)", page.url)
    assert named, page.url
    where = f"stop {float(named[1]):.2f}"
    expect(place).to_have_text(where)
    rested = canvas_pixels(page, ".z-walk canvas.now")
    page.reload()
    expect(place).to_have_text(where)  # said when the picture is drawn
    again = canvas_pixels(page, ".z-walk canvas.now").astype(int)
    assert np.abs(again - rested.astype(int)).mean() < 2  # the link rounds the place


def counted(counts: Locator) -> int:
    """The steps of G that the caption names."""
    found = re.search(r"G after ([\d,]+) steps of G", counts.inner_text())
    assert found, counts.inner_text()
    return int(found[1].replace(",", ""))


def test_a_step_of_g_moves_the_curve_and_running_goes_on_until_paused(
    open_gan: Callable[[str], Page], settle: Callable[..., None]
) -> None:
    page = open_gan("gan.view=Step+by+step")
    counts = page.get_by_text(re.compile(r"G after [\d,]+ steps of G"))
    expect(counts).to_contain_text("0 steps of G and 0 of D")
    page.get_by_role("button", name="Train G once").click()
    expect(counts).to_contain_text("1 steps of G and 0 of D")
    expect(
        page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg")
    ).to_have_count(2)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(counts).to_contain_text(re.compile(r"G after ([2-9]\d|\d{3,}|\d,\d+) steps"))
    page.get_by_role("button", name="Pause").click()
    expect(counts).to_contain_text("paused")
    settle(page)
    steps = counted(counts)
    page.get_by_role("button", name="Train G once").click()
    # One more, not two: the pause had waited for the step under way.
    expect(counts).not_to_contain_text(f"G after {steps:,} steps")
    assert counted(counts) == steps + 1
    settle(page)


def test_choosing_a_sample_asks_for_its_origin(
    open_gan: Callable[[str], Page], settle: Callable[..., None]
) -> None:
    page = open_gan("gan.count=25")
    expect(page.get_by_text("Sample 1: is it a copy?")).to_be_visible()
    page.get_by_role("radio", name="Sample 8", exact=True).click()
    expect(page.get_by_text("Sample 8: is it a copy?")).to_be_visible()
    expect(page.get_by_text("Nearest training images")).to_be_visible()
    expect(page).to_have_url(re.compile("gan.chosen=7"))
    settle(page)
