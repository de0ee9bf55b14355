"""Gaussians in a real browser: dragging, fitting, own points and files, with an idle server."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Download, Page, expect

from genlib.ui.foundations.lessons.statistics import GAUSSIANS
from tests.browser.lab import lessons_show, no_view_breaks, number
from tests.browser.touching import swipe
from tests.browser.waiting import painted, sent, until

Box = tuple[float, float, float, float]


@pytest.fixture
def open_gaussians(open_page: Callable[..., Page]) -> Callable[[str], Page]:
    def open_it(query: str = "") -> Page:
        page = open_page(f"gaussians{query}", width=1280, height=720)
        expect(page.locator(".lab canvas")).to_be_visible()
        expect(page.locator(".lab .numbers").first).not_to_be_empty()
        return page

    return open_it


def canvas(page: Page) -> Box:
    box = page.locator(".lab canvas").bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def share(page: Page, key: str) -> float:
    """Where a slider stands between its ends, from 0 to 1."""
    slider = page.locator(f".lab input[data-key={key}]")
    low, high = (float(slider.get_attribute(name) or 0) for name in ("min", "max"))
    return (float(slider.input_value()) - low) / (high - low)


def test_an_ellipse_is_dragged_turned_and_fitted_without_the_server(
    page: Page, open_gaussians: Callable[[str], Page]
) -> None:
    frames = sent(page)
    open_gaussians("?gaussians.view=two")
    asked = len(frames)
    x, y, width, height = canvas(page)
    left, right, top, bottom = x + 54, x + width - 14, y + 26, y + height - 42

    def at(px: float, py: float) -> None:
        page.mouse.move(left + px * (right - left), top + py * (bottom - top), steps=4)

    across, down = share(page, "mx"), 1 - share(page, "my")
    at(across, down)
    page.mouse.down()
    at(across + 0.1, down)
    page.mouse.up()
    until(page, lambda: share(page, "mx") > across + 0.05, "the ellipse stayed")
    page.get_by_role("button", name="Fit", exact=True).click()
    until(page, lambda: number(page, ".here") == number(page, ".most"), "Fit isn't the maximum")
    page.wait_for_function("location.search.includes('gaussians.rho=0.7')")
    assert len(frames) == asked, "the server was asked"


def test_a_link_holds_the_whole_state(open_gaussians: Callable[[str], Page]) -> None:
    page = open_gaussians("?gaussians.view=classes&gaussians.prior=0.1&gaussians.shared=true")
    expect(page.get_by_role("tab", selected=True)).to_have_text("Two classes")
    assert page.locator(".lab input[data-key=prior]").input_value() == "0.1"
    expect(page.locator(".lab input[data-key=shared]")).to_be_checked()
    page.get_by_role("tab", name="Mixture by EM").click()
    page.wait_for_url("**gaussians.view=mixture*")
    assert "prior" not in page.url
    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.locator(".next").first).to_have_text("M")
    page.wait_for_url("**gaussians.half=1*")


@pytest.mark.parametrize(
    "query",
    [
        "?gaussians.drawn=1e9&gaussians.mu=x&gaussians.sigma=-1",
        "?gaussians.view=mixture&gaussians.half=1e9&gaussians.count=2.5&gaussians.start=-4",
        "?gaussians.view=two&gaussians.own=1,1;1,1;1,1;2,2&gaussians.rho=7",
        "?gaussians.view=classes&gaussians.own=1,2;1,2;1,2;2,2,1;3,3,1;4,4,1&gaussians.names=<b>|<i>",
        "?gaussians.view=nothing&gaussians.own=,;;x",
        "?gaussians.view=classes&gaussians.sx=1e9&gaussians.sy=-1e9",
        "?gaussians.from=-1e300&gaussians.to=1e300",
        "?gaussians.own=1,2;2,1e300;3,4;1e308,5;4,4",
        "?gaussians.own=-1e9,1e9;1e9,3;5,-1e9,1;7,4,1;8,9,1;1,2",
    ],
)
def test_no_link_breaks_the_page(open_page: Callable[..., Page], query: str) -> None:
    no_view_breaks(open_page(f"gaussians{query}", width=1280, height=720))


def test_own_points_by_clicking_and_from_a_file(
    open_gaussians: Callable[[str], Page], tmp_path: Path
) -> None:
    page = open_gaussians("?gaussians.view=two")
    page.locator(".lab select").select_option("own")
    x, y, width, height = canvas(page)
    for px, py in ((0.3, 0.7), (0.4, 0.5), (0.55, 0.45)):
        page.mouse.click(x + px * width, y + py * height)
    expect(page.locator(".own > p").first).to_contain_text("3 points")
    page.wait_for_url(re.compile(r"gaussians\.own=\d[^&]*%3B[^&]*%3B"))
    clicked = page.url
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text("a,b\n1,2\nthree,4\n")
    good.write_text("length;width\n1,5;2\n2,5;3\n3;5\n4;4\n")
    chosen = page.locator(".lab input[type=file]")
    chosen.set_input_files(bad)
    expect(page.get_by_role("alert")).to_contain_text("Line 3 of the file isn't two numbers")
    expect(page.locator(".own > p").first).to_contain_text("3 points")
    chosen.set_input_files(good)
    expect(page.locator(".own > p").first).to_contain_text("4 points")
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator(".numbers").first).to_contain_text("width is")
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV", exact=True).click()
    text = saved.value.path().read_text()
    assert text.startswith("length,width,class\n1.5,2,class_A\n") and text.count("\n") == 5
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".own > p").first).to_contain_text("3 points")
    chosen.set_input_files(good)
    page.wait_for_url("**gaussians.names=length*")
    page.reload()
    expect(page.locator(".own > p").first).to_contain_text("4 points")
    expect(page.locator(".numbers").first).to_contain_text("width is")
    page.goto(clicked)
    expect(page.locator(".own > p").first).to_contain_text("3 points")


# lesson -> where on the page, and what its explanation says is there
SHOWN = {
    "one_sigma": (".lab .area", "68.3%"),
    "slice": (".lab .slice", "± 9.15"),
    "prior": (".lab .posterior", "18.3%"),
    "mixture": (".lab .agrees", "84%"),
    "diagonal": (".lab .reverse", "1.164"),
}


def test_the_link_of_a_lesson_shows_what_it_says(open_gaussians: Callable[[str], Page]) -> None:
    lessons_show(GAUSSIANS, SHOWN, open_gaussians)


def test_the_question_about_a_slice_starts_where_weights_spread_by_13_kg(
    open_gaussians: Callable[[str], Page],
) -> None:
    lesson = next(one for one in GAUSSIANS if one.key == "slice")
    page = open_gaussians(f"?{urlencode({**lesson.before, 'lesson': lesson.key})}")
    numbers = page.locator(".lab .numbers").first
    expect(numbers).to_contain_text(re.compile(r"Without knowing it: [\d.]+ ± 13\b"))
    expect(numbers.locator(".slice")).to_contain_text("± 13")  # nothing of the answer, 9.15


def test_a_link_opens_the_other_column_on_its_own_scale(
    open_gaussians: Callable[[str], Page],
) -> None:
    page = open_gaussians("?gaussians.axis=y&gaussians.mu=60&gaussians.from=50&gaussians.to=70")
    expect(page.locator(".lab .numbers").first).to_contain_text("P(50 < x < 70)")
    assert page.locator(".lab input[data-key=mu]").input_value().startswith("60")


def test_on_a_phone_every_tab_is_whole(open_page: Callable[..., Page]) -> None:
    for path in ("gaussians", "linear-regression"):
        page = open_page(path, width=390, height=844)
        tabs = page.get_by_role("tab")
        expect(tabs).to_have_count(5)
        for tab in tabs.all():
            box = tab.bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_a_file_of_huge_numbers_is_refused_and_the_page_lives(
    open_gaussians: Callable[[str], Page], tmp_path: Path
) -> None:
    page = open_gaussians("?gaussians.own=1,2;2,3;3,5;4,4")
    huge, large = tmp_path / "huge.csv", tmp_path / "large.csv"
    huge.write_text("1,2\n2,1e300\n3,4\n1e308,5\n")
    large.write_text("1,2\n2,1e9\n-1e9,4\n5,5\n")
    page.locator(".lab input[type=file]").set_input_files(huge)
    expect(page.get_by_role("alert")).to_contain_text("Line 2 of the file has a number beyond")
    page.locator(".lab input[type=file]").set_input_files(large)
    expect(page.get_by_role("alert")).to_be_hidden()
    for tab in page.get_by_role("tab").all():
        tab.click()
        painted(page)
        assert "NaN" not in page.locator(".lab").inner_text()


def test_keys_move_the_density(open_gaussians: Callable[[str], Page]) -> None:
    page = open_gaussians("")
    mu = page.locator(".lab input[data-key=mu]")
    before = float(mu.input_value())
    page.locator(".lab canvas").focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: float(mu.input_value()) > before, "the arrow key did nothing")


def test_the_page_is_a_file_that_needs_no_server(
    open_gaussians: Callable[[str], Page], tmp_path: Path
) -> None:
    page = open_gaussians("?gaussians.view=mixture&gaussians.half=3")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="This page as one HTML file").click()
    download: Download = waiting.value
    file = tmp_path / "gaussians.html"
    download.save_as(file)
    page.goto(f"file://{file}")
    expect(page.locator(".next").first).to_have_text("M")  # as the page stood
    page.goto("about:blank")
    page.goto(f"file://{file}#gaussians.view=mixture&gaussians.half=3")
    expect(page.locator(".next").first).to_have_text("M")
    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.locator(".next").first).to_have_text("E")


def test_the_ellipse_is_dragged_by_touch(open_gaussians: Callable[[str], Page]) -> None:
    page = open_gaussians("?gaussians.view=two")
    x, y, width, height = canvas(page)
    left, right, top, bottom = x + 54, x + width - 14, y + 26, y + height - 42
    across, down = share(page, "mx"), 1 - share(page, "my")
    at = (left + across * (right - left), top + down * (bottom - top))
    swipe(page, at, (at[0] + 0.1 * (right - left), at[1]))
    until(page, lambda: share(page, "mx") > across + 0.05, "the ellipse stayed")
    page.wait_for_function("location.search.includes('gaussians.mx=')")
