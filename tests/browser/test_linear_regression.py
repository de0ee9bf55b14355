"""Linear regression in a real browser: dragging, fitting, comparing, generating."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from genlib.data.adults import adults
from genlib.data.curve import noisy_curve
from genlib.ui.foundations.lessons.statistics import LINEAR_REGRESSION
from tests.browser.lab import lessons_show, no_view_breaks, number
from tests.browser.waiting import painted, sent, until


@pytest.fixture
def open_regression(open_page: Callable[..., Page]) -> Callable[[str], Page]:
    def open_it(query: str = "") -> Page:
        page = open_page(f"linear-regression{query}", width=1280, height=720)
        expect(page.locator(".lab .numbers").first).not_to_be_empty()
        return page

    return open_it


def test_a_line_is_dragged_and_fitted_without_the_server(
    page: Page, open_regression: Callable[[str], Page]
) -> None:
    frames = sent(page)
    open_regression("")
    asked = len(frames)
    canvas = page.locator(".lab canvas")
    canvas.focus()
    before = number(page, ".here")
    page.keyboard.press("ArrowRight")  # turns the line up, as the points go
    until(page, lambda: number(page, ".here") < before, "the line didn't turn")
    page.get_by_role("button", name="Fit", exact=True).click()
    until(page, lambda: number(page, ".here") == number(page, ".least"), "Fit isn't the least")
    page.wait_for_url("**linear_regression.y1=*")
    assert len(frames) == asked, "the server was asked"


def test_models_are_compared_on_points_they_have_not_seen(
    open_regression: Callable[[str], Page],
) -> None:
    page = open_regression(
        "?linear_regression.view=compare&linear_regression.data=curve&linear_regression.b=12"
    )
    expect(page.locator(".winner").first).to_have_text("A")
    page.get_by_role("button", name="Best held-out degree").click()
    expect(page.locator(".winner").first).to_have_text("B")
    best = page.locator(".best").first.inner_text()
    page.wait_for_url(f"**linear_regression.b={best}*")


def test_new_points_are_generated_and_the_picture_changes(
    open_regression: Callable[[str], Page], canvas_pixels: Callable[[Page, str], np.ndarray]
) -> None:
    page = open_regression("?linear_regression.view=generate")
    before = canvas_pixels(page, ".lab canvas")
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_url("**linear_regression.seed=2*")
    painted(page)
    after = canvas_pixels(page, ".lab canvas")
    half = before.shape[1] // 2
    assert (before[:, half:] != after[:, half:]).any(), "the same points were generated again"
    assert (before[:, : half - 8] == after[:, : half - 8]).all(), "the real points changed"


@pytest.mark.parametrize(
    "query",
    [
        "?linear_regression.own=1,1;1,2;1,3;2,2;3,1&linear_regression.n=3",
        "?linear_regression.view=generate&linear_regression.degree=1.5&linear_regression.seed=1e9",
        "?linear_regression.view=compare&linear_regression.a=-1&linear_regression.b=99.5",
        "?linear_regression.own=1,5;2,5.1;3,5",
        "?linear_regression.view=error&linear_regression.pz=1e300&linear_regression.px=-1e300",
        "?linear_regression.view=error&linear_regression.bands=true&linear_regression.pz=1e300",
        "?linear_regression.y1=1e300&linear_regression.y2=-1e300",
        "?linear_regression.own=1,2;2,1e300;3,4;1e308,5;4,4",
    ],
)
def test_no_link_breaks_the_page(open_page: Callable[..., Page], query: str) -> None:
    no_view_breaks(open_page(f"linear-regression{query}", width=1280, height=720))


# lesson -> where on the page, and what its explanation says is there
SHOWN = {
    "bands": (".lab .numbers .ofLine", "1.16"),
    "overfit": (".lab .numbers .held", "−1.418"),
    "without_error": (".lab .numbers tr:nth-child(3)", "4.0"),
    "both_ways": (".lab .numbers .slope-z", "3.4"),
}


def test_the_link_of_a_lesson_shows_what_it_says(open_regression: Callable[[str], Page]) -> None:
    lessons_show(LINEAR_REGRESSION, SHOWN, open_regression)


def test_the_bands_of_the_lesson_lie_around_the_line_that_was_fitted(
    open_regression: Callable[[str], Page],
) -> None:
    lesson = next(one for one in LINEAR_REGRESSION if one.key == "bands")
    asked = open_regression(f"?{urlencode({**lesson.before, 'lesson': lesson.key})}")
    expect(asked.locator(".ofLine").first).to_have_text("3.42")
    expect(asked.locator(".ofPoint").first).to_have_text("17.4")
    # the line that the panel names is the fit to these 25 women, not to the 40 of the page
    women = adults()[adults()[:, 2] == 0][:25]
    slope, at0 = np.polyfit(women[:, 0], women[:, 1], 1)
    written = f"weight = {slope:.3g} · height {'−' if at0 < 0 else '+'} {abs(at0):.4g} +"
    expect(asked.locator(".formula").first).to_contain_text(written)
    # and so is the σ, without what two parameters take away
    errors = women[:, 1] - (slope * women[:, 0] + at0)
    spread = f"{np.sqrt((errors**2).sum() / (len(women) - 2)):.3g}"
    expect(asked.locator(".formula").first).to_contain_text(f"N(0, {spread}²)")


def test_a_sorted_file_is_judged_on_all_of_its_range_and_its_link_agrees(
    open_regression: Callable[[str], Page], tmp_path: Path
) -> None:
    page = open_regression("?linear_regression.view=compare&linear_regression.own=1,2;2,3;3,5;4,4")
    file = tmp_path / "sorted.csv"
    points = sorted(noisy_curve()[:100].tolist())
    file.write_text("z,x\n" + "".join(f"{z},{x}\n" for z, x in points))
    page.locator(".lab input[type=file]").set_input_files(file)
    expect(page.locator(".own > p").first).to_contain_text("100 points")
    expect(page.locator(".best").first).to_be_visible()
    # fitted to the 40 smallest z, nothing beats a constant
    assert number(page, ".best") >= 4
    page.wait_for_url("**linear_regression.names=z*")
    numbers = page.locator(".lab .numbers").first
    before = numbers.inner_text()
    page.reload()
    expect(page.locator(".best").first).to_be_visible()
    assert numbers.inner_text() == before


def test_a_file_of_bad_numbers_changes_nothing(
    open_regression: Callable[[str], Page], tmp_path: Path
) -> None:
    page = open_regression("?linear_regression.own=1,2;2,3;3,5;4,4")
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    page.locator(".lab input[type=file]").set_input_files(bad)
    expect(page.get_by_role("alert")).to_contain_text("Your points are as they were.")
    expect(page.locator(".own > p").first).to_contain_text("4 points")
