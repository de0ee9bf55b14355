"""Architectures: pointing and arrow keys tell what a block computes; phones get it upright."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from genlib.data.datasets import to_float
from genlib.ui.foundations import architectures
from genlib.ui.kit import loading


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


@pytest.mark.usefixtures("shipped")
def test_what_is_clicked_goes_into_the_link(open_page: Callable[..., Page]) -> None:
    page = open_page("architectures", width=1280, height=720)
    page.locator(".architecture [data-key='decoder.1']").click()
    page.wait_for_function("location.search.includes('architectures.at=decoder.1')")
    page.reload()
    expect(page.locator(".architecture")).to_have_attribute("data-at", "decoder.1")


@pytest.mark.no_policy  # what is opened from a disk comes without the app's
@pytest.mark.usefixtures("shipped")
def test_as_a_file_it_tells_and_shows_the_same(page: Page, tmp_path: Path) -> None:
    data = loading.dataset()
    drawn = architectures.diagram(architectures.models()["vae-20"], to_float(data.test_x[0]))
    file = tmp_path / "architecture.html"
    file.write_text(architectures.as_file(drawn), encoding="utf-8")
    page.goto(file.as_uri())
    page.locator(".architecture [data-key='encoder.0']").click()
    expect(page.locator(".architecture .told")).to_contain_text("314,000 parameters")
    expect(page.locator(".architecture .told canvas")).to_be_visible()
    page.wait_for_function("location.hash.includes('architectures.at=encoder.0')")
    page.reload()
    expect(page.locator(".architecture")).to_have_attribute("data-at", "encoder.0")
