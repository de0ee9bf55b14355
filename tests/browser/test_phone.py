"""A phone's window: numbers and axis titles can be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.waiting import until

OVERFLOWING = """figures => figures.filter(figure => figure.scrollWidth > figure.clientWidth)
    .map(figure => figure.innerText)"""
# In one go: Plotly replaces its elements when it draws again.
CUT = """() => [...document.querySelectorAll(".xtitle")].filter(title => {
    const [text, chart] = [title, title.ownerSVGElement].map(e => e.getBoundingClientRect())
    return text.left < chart.left || text.right > chart.right
}).map(title => title.textContent)"""


@pytest.mark.parametrize("path", ["reconstructions", "pca"])
def test_numbers_under_pictures_do_not_run_into_each_other(
    open_page: Callable[..., Page], path: str
) -> None:
    page = open_page(path, width=390, height=844)
    expect(page.locator(".pt figcaption").first).to_be_visible()
    assert page.locator(".pt figcaption").evaluate_all(OVERFLOWING) == []


@pytest.mark.parametrize("path", ["likelihood", "merged-digits"])
def test_titles_of_axes_are_not_cut_off(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(path, width=390, height=844)
    expect(page.locator(".xtitle").first).to_be_visible()
    assert page.evaluate(CUT) == []


# The share of the stage that is on the screen and not under the lesson's sheet.
SEEN = """() => {
    const [stage, lesson] = [".st-key-stage", ".st-key-lesson"]
        .map((selector) => document.querySelector(selector).getBoundingClientRect())
    return (Math.min(stage.bottom, lesson.top) - Math.max(0, stage.top)) / stage.height
}"""
ASKED = ("denoise", "latent-space", "gan", "rbm", "merged-digits", "sampling")


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("path", ASKED)
def test_a_lesson_leaves_the_picture_on_the_screen(
    open_page: Callable[..., Page], path: str
) -> None:
    """Asked and answered: it is a sheet at the foot of the screen."""
    page = open_page(path, width=390, height=844, timeout=120_000)
    page.get_by_text("Try this").click()
    page.locator(".lessons li button").first.click()
    for step in ("asked", "answered"):
        panel = page.locator(".st-key-lesson")
        expect(panel.locator(".explanation" if step == "answered" else ".question")).to_be_visible()
        until(page, lambda: page.evaluate(SEEN) >= 0.6, f"{path}, {step}: too little of the stage")
        box = panel.bounding_box()
        assert box and box["y"] + box["height"] <= 845, f"the lesson is below the screen: {box}"
        if step == "asked":
            panel.locator(".answers button").first.click()


@pytest.mark.parametrize("path", ["transposed-convolution", "linear-regression", "latent-map"])
def test_title_equation_and_lessons_share_a_line(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(path, width=390, height=844)
    equation = page.get_by_role("button", name="Equation and source")
    lessons = page.locator(".lessons summary")
    expect(lessons).to_be_visible()
    title = page.locator(".st-key-header h1").bounding_box()
    boxes = [equation.bounding_box(), lessons.bounding_box()]
    assert title
    for box in boxes:
        assert box and box["y"] < title["y"] + title["height"], "it has a line of its own"
