"""Numbers on one axis: where marks and bars are, in which order, and that names stay text."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from genlib.ui.kit.dot_plot import Point, as_html, ticks
from tests.helpers import html, ok

POINTS = (
    Point("worse", "bound", 20.0, 1.0, "ten images"),
    Point("better", "exact", 10.0, 0.0, "all images"),
    Point("worse", "estimate", 18.0, 2.0, "here", fresh=True),
)


def percents(text: str, what: str) -> list[float]:
    return [float(found) for found in re.findall(rf"{what}[^>]*?left: ([\d.]+)%", text)]


def test_the_smallest_number_is_on_top_and_leftmost() -> None:
    text = as_html(POINTS, "nats")
    assert re.findall(r"class='name'[^>]*>(\w+)<", text) == ["better", "worse"]
    better, bound, estimate = percents(text, "class='mark")
    assert 0 < better < estimate < bound < 100
    # 10 to 21 with a twentieth of room on both sides
    assert better == pytest.approx(100 * 0.05 / 1.1, abs=0.01)
    assert bound == pytest.approx(100 * (0.05 + 10 / 11) / 1.1, abs=0.01)


def test_a_bar_reaches_as_far_to_both_sides_and_exact_numbers_have_none() -> None:
    text = as_html(POINTS, "nats")
    bars = re.findall(r"class='bar (\w+)' style='left: ([\d.]+)%; width: ([\d.]+)%'", text)
    assert [kind for kind, *_ in bars] == ["bound", "estimate"]
    marks = dict(zip(("exact", "bound", "estimate"), percents(text, "class='mark"), strict=True))
    for kind, left, width in bars:
        assert float(left) + float(width) / 2 == pytest.approx(marks[kind], abs=0.02)


def test_only_what_was_measured_just_now_is_open_and_the_legend_names_what_there_is() -> None:
    text = as_html(POINTS, "nats")
    assert re.findall(r"class='mark (\w+) open'", text) == ["estimate"]
    legend = text.split("<div class='dots'>")[0]
    assert re.findall(r"class='mark (\w+)'", legend) == ["exact", "estimate", "bound"]


def test_names_and_sentences_are_text() -> None:
    text = as_html([Point("<b>'x'", "exact", 1.0, 0.0, "<img src=y>")], "nats & more")
    assert "<b>" not in text and "<img" not in text
    assert "&lt;b&gt;&#x27;x&#x27;: 1.00. &lt;img" in text and "nats &amp; more" in text


@pytest.mark.parametrize(
    "numbers",
    [
        [(1e17, 0.0)],
        [(1e17, 0.0), (1e17 + 64, 0.0)],
        [(0.0, 0.0)],
        [(-1e300, 0.0), (1e300, 0.0), (90.0, 1.0)],
        [(float("nan"), 0.0), (90.0, 1e308), (float("-inf"), 0.0), (80.0, 1.0)],
    ],
)
def test_numbers_of_any_size_are_drawn_and_what_is_not_finite_is_left_out(
    numbers: list[tuple[float, float]],
) -> None:
    """The header of an uploaded checkpoint may hold any of them."""

    def page(numbers: list[tuple[float, float]]) -> None:
        from genlib.ui.kit.dot_plot import Point, dot_plot

        dot_plot([Point("x", "exact", value, error, "") for value, error in numbers], "nats")

    app = ok(AppTest.from_function(page, args=(numbers,), default_timeout=60).run())
    fit = [value for value, error in numbers if abs(value) + abs(error) <= 1e300]
    places = percents(html(app), "class='mark")
    assert len(places) == len(fit) and all(0 < place < 100 for place in places)
    nothing = AppTest.from_function(page, args=([(float("nan"), 0.0)],), default_timeout=60).run()
    assert "No finite number" in ok(nothing).caption[0].value


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (79.8, 156.5, [80, 90, 100, 110, 120, 130, 140, 150]),
        (-1.05, 1.05, [-1, -0.5, 0, 0.5, 1]),
        (1200.0, 2600.0, [1200, 1400, 1600, 1800, 2000, 2200, 2400, 2600]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)
