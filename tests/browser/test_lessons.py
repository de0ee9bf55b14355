"""A lesson: a question before the picture moves, an answer that moves it, and the explanation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.usefixtures("shipped")
def test_a_lesson_asks_then_shows_then_explains(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page = open_page("denoise", width=1280, height=720)
    slider = page.get_by_role("slider", name="Strength")
    page.get_by_text("Try this").click()
    page.get_by_role("button", name="A few pixels are gone").click()
    page.wait_for_url("**lesson=little_damage*")
    expect(page.locator(".question")).to_contain_text("one pixel in twenty")
    assert slider.input_value() == "0.5", "the picture moved before the answer"
    expect(page.locator(".explanation")).to_be_hidden()
    page.get_by_role("button", name="Inpainting from the neighbours").click()
    page.wait_for_url("**answer=1*")
    expect(slider).to_have_value("0.05")
    expect(page.locator(".explanation")).to_contain_text("hard to beat")
    settle(page)
    page.go_back()  # one press: the question again
    page.wait_for_function("!location.search.includes('answer')")
    expect(page.locator(".explanation")).to_be_hidden()
    expect(slider).to_have_value("0.5")  # also where the link says nothing of it


@pytest.mark.usefixtures("shipped")
def test_a_link_that_names_only_the_lesson_opens_the_state_in_which_it_is_asked(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("denoise?lesson=told&present=1", width=1280, height=720)
    expect(page.get_by_role("slider", name="Strength")).to_have_value("0.15")
    expect(page.locator(".question")).to_be_visible()
    page.get_by_role("button", name="The autoencoder leads").click()
    page.wait_for_url("**denoise.told=true*")
    assert "present=1" in page.url
    page.get_by_role("button", name="Close the lesson").click()
    page.wait_for_function("!location.search.includes('lesson')")
    expect(page.locator(".question")).to_have_count(0)
    assert "denoise.told=true" in page.url


FOCUSED = """(where) => {
    let element = document.activeElement
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    return Boolean(element?.matches(where))
}"""


def test_the_keyboard_goes_on_from_the_question_and_from_the_explanation(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page = open_page("gaussians", width=1280, height=720)

    def focused(where: str) -> None:
        """The focus comes there, and stays while the page settles."""
        page.wait_for_function(FOCUSED, arg=where)
        settle(page)
        page.wait_for_function(FOCUSED, arg=where)

    page.get_by_text("Try this").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="A room full of women").focus()
    page.keyboard.press("Enter")
    focused(".question")
    page.keyboard.press("Tab")  # the first answer
    page.keyboard.press("Enter")
    page.wait_for_url("**answer=0*")
    focused(".explanation")
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**lesson=mixture*")
    focused(".question")
    page.get_by_role("button", name="Close the lesson").focus()
    page.keyboard.press("Enter")
    focused("summary")
