"""Few labels: a click and a number key label digits, the map and the accuracy follow, undo."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.usefixtures("shipped")
def test_labelling_by_mouse_and_by_keyboard(
    open_page: Callable[..., Page], settle: Callable[..., None], canvas_pixels: Callable
) -> None:
    page = open_page("few-labels?few.rule=Most%20typical", width=1280, height=720)
    score, card = page.locator(".few-labels .score"), page.locator(".few-labels .card")
    expect(score).to_have_text("No label yet: click a digit.")
    page.locator(".few-labels .next").click()
    expect(card).to_be_visible()
    expect(card.locator("p")).to_contain_text("nearer to it")
    card.get_by_role("button", name="3", exact=True).click()
    expect(card).to_be_hidden()
    expect(score).to_contain_text("1 label:")
    page.wait_for_function("/few.labels=\\d+\\.3/.test(location.search)")
    page.keyboard.press("ArrowLeft")  # from the labelled digit to the next one on its left
    page.keyboard.press("7")
    expect(score).to_contain_text("2 labels:")
    page.wait_for_function("/few.labels=\\d+\\.3-\\d+\\.7/.test(location.search)")
    settle(page)
    page.get_by_role("button", name="Undo").click()
    expect(score).to_contain_text("1 label:")
    page.get_by_role("button", name="Reset").click()
    expect(score).to_have_text("No label yet: click a digit.")
    page.get_by_role("button", name="Undo").click()
    expect(score).to_contain_text("1 label:")


@pytest.mark.usefixtures("shipped")
def test_ten_labels_at_once_and_undo_on_the_map(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page = open_page(
        "few-labels?few.rule=Most%20typical&few.who=The%20data%20set", width=1280, height=720
    )
    root, score = page.locator(".few-labels"), page.locator(".few-labels .score")
    page.get_by_role("button", name="Data set: label 10 by this rule").click()
    expect(score).to_contain_text("10 labels:")
    expect(root).to_have_attribute("data-labels", "10")
    settle(page)
    page.get_by_role("button", name="Undo").click()
    expect(root).to_have_attribute("data-labels", "0")
    expect(score).to_have_text(re.compile("No label yet"))
    page.get_by_role("button", name="Mistakes").click()
    expect(page.get_by_role("button", name="Mistakes")).to_have_attribute("aria-pressed", "true")
