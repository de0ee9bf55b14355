"""The map's nodes open pages in the same session; drawing changes what every model says."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.waiting import until


def test_a_node_of_the_map_opens_its_page(open_page: Callable[..., Page], settle) -> None:
    page = open_page("map-of-models")
    page.evaluate("window.same = true")
    page.locator("a.node", has_text="Principal components").click()
    expect(page.locator("h1")).to_have_text("PCA and mixtures", timeout=180_000)
    expect(page).to_have_url(re.compile(r"/pca(\?|$)"))
    assert page.evaluate("window.same"), "the browser loaded a new page: the session is lost"
    settle(page, timeout=120_000)
    page.go_back()
    expect(page.locator("h1")).to_have_text("Map of models", timeout=180_000)
    page.locator("a.moment", has_text="Denoising autoencoder").click()
    expect(page.locator("h1")).to_have_text("Denoise", timeout=180_000)


@pytest.mark.usefixtures("shipped")
def test_drawing_changes_what_the_models_say(open_page: Callable[..., Page]) -> None:
    page = open_page("one-digit?one_digit.from=Draw", height=1200, timeout=180_000)
    card = page.locator("article[data-model='vae-20']")
    card.wait_for(timeout=120_000)

    def said() -> str:
        return " ".join(card.locator("b").all_inner_texts())

    before = said()
    sheet = page.locator("canvas.sheet")
    box = sheet.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 180, steps=8)
    page.mouse.up()
    until(page, lambda: said() != before, "the numbers did not follow the drawing")
