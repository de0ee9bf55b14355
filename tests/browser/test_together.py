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
    expect(page.locator("h1")).to_have_text("PCA and mixtures")
    expect(page).to_have_url(re.compile(r"/pca(\?|$)"))
    assert page.evaluate("window.same"), "the browser loaded a new page: the session is lost"
    settle(page)
    page.go_back()
    expect(page.locator("h1")).to_have_text("Map of models")
    page.locator("a.moment", has_text="Denoising autoencoder").click()
    expect(page.locator("h1")).to_have_text("Denoise")


@pytest.mark.usefixtures("shipped")
def test_drawing_changes_what_the_models_say(open_page: Callable[..., Page]) -> None:
    page = open_page("one-digit?one_digit.from=Draw", height=1200)
    card = page.locator("article[data-model='vae-20']")
    card.wait_for()

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


# The map's module shows two links, then the same ones with a picture.
FOCUSED = """async () => {
    const loaded = performance.getEntriesByType("resource").map((entry) => entry.name)
    const address = loaded.find((name) => name.includes("map_of_models/view"))
    const { default: show } = await import(address)
    const parentElement = document.body.appendChild(document.createElement("div"))
    parentElement.innerHTML = "<div class=taxonomy></div>"
    const links = (picture) => `<a href="#a">a${picture}</a><a href="#b">b${picture}</a>`
    show({ parentElement, data: { html: links("") } })
    parentElement.querySelectorAll("a")[1].focus()
    show({ parentElement, data: { html: links("<img>") } })
    return document.activeElement.outerHTML
}"""


def test_a_new_picture_on_the_map_leaves_the_focus_where_it_is(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("map-of-models")
    expect(page.locator(".taxonomy a").first).to_be_visible()
    assert page.evaluate(FOCUSED) == '<a href="#b">b<img></a>'
