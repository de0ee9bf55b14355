"""Architectures: pointing and arrow keys tell what a block computes; phones get it upright."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.usefixtures("shipped")
def test_pointing_at_a_block_tells_its_rule_and_shows_its_numbers(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("architectures", width=1280, height=720)
    told, canvas = page.locator(".architecture .told"), page.locator(".architecture .told canvas")
    page.locator(".architecture [data-key='encoder.0']").hover()
    expect(told).to_contain_text("y = W x + b, W: 400×784")
    expect(told).to_contain_text("314,000 parameters")
    expect(canvas).to_be_visible()
    page.locator(".architecture [data-key='kl']").hover()
    expect(told).to_contain_text("KL divergence")
    expect(canvas).to_be_hidden()
    page.locator(".architecture [data-key='x']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".architecture")).to_have_attribute("data-at", "encoder")
    page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("28 → 400")


@pytest.mark.usefixtures("shipped")
def test_on_a_phone_the_diagram_stands_upright(open_page: Callable[..., Page]) -> None:
    page = open_page("architectures?architectures.model=gan-mlp", width=390, height=844)
    drawing = page.locator(".architecture svg")
    expect(drawing).to_be_visible()
    box = drawing.bounding_box()
    assert box is not None and box["height"] > box["width"] and box["x"] >= 0
    page.locator(".architecture [data-key='generator.0']").click()
    expect(page.locator(".architecture .told")).to_contain_text("W: 256×100")


@pytest.mark.usefixtures("shipped")
def test_the_lesson_on_silent_units_counts_them_in_sight(open_page: Callable[..., Page]) -> None:
    query = "lesson=silent&answer=2&architectures.model=vae-20&architectures.at=encoder.0"
    page = open_page(f"architectures?{query}", width=1280, height=720)
    expect(page.locator(".architecture")).to_have_attribute("data-at", "encoder.0")
    count = page.locator(".told small")
    expect(count).to_have_text(re.compile(r"^\d+ of 400 are 0; 0\.00 to "))
    assert int(count.inner_text().split()[0]) > 400 * 2 / 3
    expect(count).to_be_in_viewport()
    expect(page.locator(".told canvas")).to_be_in_viewport(ratio=1)
