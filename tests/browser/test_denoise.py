"""Denoise in a real browser: dragging the slider repaints the repaired digit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.waiting import until

CARD = ".cards figure"


def need_denoiser(shipped: Path) -> None:
    if not (shipped / "dae-500.safetensors").exists():
        pytest.skip("dae-500 is not built")


def open_denoise(open_page: Callable[..., Page], query: str = "") -> Page:
    """The page with every picture and the chart on it."""
    page = open_page(f"denoise?{query}")
    expect(page.locator(f"{CARD} figcaption", has_text="Median")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    return page


def pictures(page: Page) -> dict[str, str]:
    """Name of each picture of the one digit -> its PNG as a data URL."""
    images = page.locator(f"{CARD} img")
    return {
        str(images.nth(i).get_attribute("alt")): str(images.nth(i).get_attribute("src"))
        for i in range(images.count())
    }


def resting_box(found: Locator) -> FloatRect:
    """Where an element is once the page above it has stopped growing."""
    box = found.bounding_box()
    for _ in range(50):
        found.page.wait_for_timeout(200)
        last, box = box, found.bounding_box()
        if box and box == last:
            return box
    raise AssertionError(f"the slider does not come to rest: {box}")


def numbers(page: Page) -> list[float]:
    """Errors under the pictures, left to right, without the clean one's empty place."""
    texts = page.locator(f"{CARD} .number").all_inner_texts()
    return [float(t.split()[0]) for t in texts if t.strip()]


def test_dragging_repaints_while_the_hand_moves(
    shipped: Path, open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    need_denoiser(shipped)
    page = open_denoise(open_page, "denoise.strength=0.2")
    before, low = pictures(page), numbers(page)
    assert {"Clean", "Corrupted", "dae-500", "Telea", "Navier–Stokes"} <= set(before)
    handle = resting_box(page.get_by_role("slider", name="Strength"))
    y = handle["y"] + handle["height"] / 2
    page.mouse.move(handle["x"] + handle["width"] * 0.21, y)
    page.mouse.down()
    page.mouse.move(handle["x"] + handle["width"] * 0.8, y, steps=6)
    # The button is still down: the pictures must follow all the same.
    page.wait_for_function(
        "([selector, old]) => document.querySelector(selector).src !== old",
        arg=[f'{CARD} img[alt="dae-500"]', before["dae-500"]],
    )
    page.mouse.up()
    expect(page).to_have_url(re.compile("denoise.strength=0.7"))
    settle(page)
    repaired = ("Corrupted", "dae-500", "Telea", "Navier–Stokes")
    until(
        page,
        lambda: all(pictures(page)[name] != before[name] for name in repaired),
        "some pictures did not change",
    )
    assert pictures(page)["Clean"] == before["Clean"]
    assert numbers(page)[0] > low[0]
    assert page.locator(f"{CARD}.best").count() >= 1


def test_kind_is_in_the_link_and_gaussian_needs_no_mask(
    shipped: Path, open_page: Callable[..., Page]
) -> None:
    need_denoiser(shipped)
    page = open_denoise(open_page, "denoise.kind=Gaussian%20noise")
    expect(page.locator(f"{CARD} .none")).to_have_count(2)
    expect(page.locator(".pt img").first).to_be_visible()
    assert page.locator(f"{CARD} img").first.evaluate(
        "img => getComputedStyle(img).imageRendering"
    ) in ("pixelated", "crisp-edges")


def test_new_noise_changes_the_corrupted_picture_only(
    shipped: Path, open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    need_denoiser(shipped)
    page = open_denoise(open_page)
    before = pictures(page)
    page.get_by_role("button", name="New noise").click()
    until(
        page,
        lambda: pictures(page)["Corrupted"] != before["Corrupted"],
        "the noise is still the same",
    )
    expect(page).to_have_url(re.compile("denoise.noise=1"))
    settle(page)
    assert pictures(page)["Clean"] == before["Clean"]
