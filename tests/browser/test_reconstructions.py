"""Kernels in a real browser: drawn on a canvas, framed when dead, enlarged when clicked."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.waiting import until

GRID = "canvas.grid"
AMBER = np.array([255, 159, 26])
LINK = "reconstructions?reconstructions.show=Kernels"


def need_models(shipped: Path) -> None:
    if not (shipped / "ae-30.safetensors").exists():
        pytest.skip("ae-30 is not built")


def amber(pixels: np.ndarray) -> int:
    """How many pixels have the colour of a dead unit's frame."""
    return int((np.abs(pixels[..., :3].astype(int) - AMBER).max(-1) < 3).sum())


def grid_marked(page: Page) -> int:
    """How many units the first grid frames, once it is painted."""
    grid = page.locator(GRID).first
    expect(grid).to_have_attribute("data-marked", re.compile(r"\d+"))
    return int(grid.get_attribute("data-marked") or -1)


def test_kernels_are_painted_in_both_colours(
    shipped: Path, open_page: Callable[..., Page], canvas_pixels: Callable[..., np.ndarray]
) -> None:
    need_models(shipped)
    page = open_page(LINK)
    assert grid_marked(page) >= 0
    pixels = canvas_pixels(page, GRID)[..., :3].astype(int)
    assert (pixels[..., 0] - pixels[..., 2] > 100).mean() > 0.01  # red: positive weights
    assert (pixels[..., 2] - pixels[..., 0] > 50).mean() > 0.01  # blue: negative ones


def test_threshold_from_the_link_frames_the_dead(
    shipped: Path, open_page: Callable[..., Page], canvas_pixels: Callable[..., np.ndarray]
) -> None:
    need_models(shipped)
    page = open_page(f"{LINK}&reconstructions.threshold.silent=0")
    assert grid_marked(page) == 0
    assert amber(canvas_pixels(page, GRID)) == 0
    page = open_page(f"{LINK}&reconstructions.threshold.silent=1")
    assert grid_marked(page) > 0
    assert amber(canvas_pixels(page, GRID)) > 500


def test_a_click_enlarges_that_unit_and_the_mouse_shows_a_lens(
    shipped: Path, open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    need_models(shipped)
    page = open_page(f"{LINK}&reconstructions.sort=as trained")
    grid = page.locator(GRID).first
    assert grid_marked(page) >= 0
    expect(page.get_by_text("unit 0 of")).to_be_visible()
    scale = int(grid.get_attribute("data-scale") or 1)
    step = 28 * scale + 3
    grid.hover(position={"x": 2.5 * step, "y": 0.5 * step})
    lens = page.locator(".lens").first
    expect(lens).to_be_visible()
    expect(lens).to_contain_text("unit 2")
    grid.click(position={"x": 2.5 * step, "y": 0.5 * step})
    expect(page.get_by_text("unit 2 of")).to_be_visible()
    expect(page).to_have_url(re.compile("reconstructions.unit=2"))
    settle(page)


def test_other_digits_change_every_row(
    shipped: Path, open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    need_models(shipped)
    page = open_page("reconstructions")
    rows = page.locator(".pt img")
    expect(rows.first).to_be_visible()

    def sources() -> list[str]:
        return rows.evaluate_all("(all) => all.map((img) => img.src)")

    before = sources()
    assert len(before) >= 30
    page.get_by_role("button", name="Other digits").click()
    until(
        page,
        lambda: (
            len(after := sources()) == len(before)
            and all(a != b for a, b in zip(before, after, strict=True))
        ),
        "some rows still show the digits before",
    )
    settle(page)
