"""A phone's window: numbers and axis titles can be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.touching import swipe
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
    numbers = page.locator(".pt figcaption")
    expect(numbers.first).to_be_visible()
    until(page, lambda: numbers.evaluate_all(OVERFLOWING) == [], "numbers run into each other")


@pytest.mark.parametrize("path", ["pca", "merged-digits"])
def test_titles_of_axes_are_not_cut_off(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(path, width=390, height=844)
    expect(page.locator(".xtitle").first).to_be_visible()
    until(page, lambda: page.evaluate(CUT) == [], "a title is cut off")


def test_the_numbers_of_likelihood_s_axis_have_room(open_page: Callable[..., Page]) -> None:
    page = open_page("likelihood", width=390, height=844)
    numbers = page.locator(".dots").first.locator(".axis span:visible")
    expect(numbers.first).to_be_visible()
    edges = numbers.evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect()).map((b) => [b.left, b.right])"
    )
    flat = [x for edge in sorted(edges) for x in edge]
    assert len(edges) > 2 and flat == sorted(flat), f"numbers run into each other: {edges}"
    assert flat[0] >= 0 and flat[-1] <= 390


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
    page = open_page(path, width=390, height=844)
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
    title = page.locator(".st-key-header h1")

    def on_one_line() -> bool:
        first, *boxes = (one.bounding_box() for one in (title, equation, lessons))
        assert first
        return all(box and box["y"] < first["y"] + first["height"] for box in boxes)

    until(page, on_one_line, "one has a line of its own")


@pytest.mark.parametrize("path", ["transposed-convolution", "merged-digits", "one-digit"])
def test_the_list_of_lessons_is_on_the_screen(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(path, width=390, height=844)
    page.locator(".lessons summary").click()
    listed = page.locator(".lessons ol")
    expect(listed).to_be_visible()

    def fits() -> bool:
        box = listed.bounding_box()
        return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390

    until(page, fits, f"the list leaves the screen: {listed.bounding_box()}")


# How far the middle of the largest picture is below the screen's top, and whether it shows there.
MIDDLE = """() => {
    const every = (root) => [...root.querySelectorAll("*")]
        .flatMap((one) => [one, ...(one.shadowRoot ? every(one.shadowRoot) : [])])
    const area = (one) => one.getBoundingClientRect().width * one.getBoundingClientRect().height
    const pictures = every(document.querySelector(".st-key-stage")).filter((one) =>
        one.matches("canvas, img"))
    const largest = pictures.sort((a, b) => area(b) - area(a))[0]
    const {left, top, width, height} = largest.getBoundingClientRect()
    const x = left + width / 2, y = top + height / 2
    const shown = largest.getRootNode().elementFromPoint(x, y)
    return [y, shown === largest]
}"""


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("path", ["denoise", "latent-space", "gaussians", "transposed-convolution"])
def test_the_picture_stays_while_settings_are_scrolled(
    open_page: Callable[..., Page], path: str
) -> None:
    """Also where the stage is higher than half of the screen, or the settings are inside of it."""
    page = open_page(path, width=390, height=844)
    canvas = page.locator(".st-key-stage :is(canvas, img):visible").first
    expect(canvas).to_be_visible()
    page.locator("[data-testid=stMain]").evaluate("(main) => main.scrollTo(0, 400)")

    def stays() -> bool:
        y, shown = page.evaluate(MIDDLE)
        return bool(shown) and 60 < y < 0.6 * 844

    until(page, stays, f"the picture is gone: {page.evaluate(MIDDLE)}")


def test_a_finger_scrolls_the_page_unless_it_has_a_handle(open_page: Callable[..., Page]) -> None:
    page = open_page("gaussians?gaussians.view=two", width=390, height=844)
    expect(page.locator(".lab .numbers").first).not_to_be_empty()
    box = page.locator(".lab canvas").bounding_box()
    assert box
    left, right = box["x"] + 54, box["x"] + box["width"] - 14
    top, bottom = box["y"] + 26, box["y"] + box["height"] - 42

    def state() -> list[str]:
        inputs = page.locator(".lab .parts input[type=range]")
        return [one.input_value() for one in inputs.all()]

    def scrolled() -> float:
        return float(page.locator("[data-testid=stMain]").evaluate("(main) => main.scrollTop"))

    def share(key: str) -> float:
        slider = page.locator(f".lab input[data-key={key}]")
        low, high = (float(slider.get_attribute(name) or 0) for name in ("min", "max"))
        return (float(slider.input_value()) - low) / (high - low)

    before = state()
    mean = left + share("mx") * (right - left), bottom - share("my") * (bottom - top)
    swipe(page, mean, (mean[0] + 60, mean[1] + 40))
    until(page, lambda: state() != before, "the mean can't be dragged")
    assert scrolled() == 0, "dragging the mean scrolls the page"
    held = state()
    corner = right - 12, bottom - 12
    swipe(page, corner, (corner[0], corner[1] - 250))
    until(page, lambda: scrolled() > 50, "the page doesn't scroll")
    assert state() == held, "scrolling changed the Gaussian"
