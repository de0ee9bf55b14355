"""What the tests of both pages about height and weight do, Gaussians and Linear regression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from genlib.ui.kit.lessons import Lesson
from tests.browser.waiting import painted

BAD = re.compile(r"NaN|Infinity|0 / \(0 \+ 0\)")


def number(page: Page, selector: str) -> float:
    """The number that is written there; its minus is a real one."""
    return float(page.locator(selector).first.inner_text().replace("−", "-"))


def no_view_breaks(page: Page) -> None:
    """Assert that the lab is drawn, and that no view says that something isn't a number."""
    expect(page.locator(".lab canvas")).to_be_visible()
    painted(page)
    assert not BAD.search(page.locator(".lab").inner_text())  # the view of the link
    for tab in page.get_by_role("tab").all():
        tab.click()
        painted(page)
        assert not BAD.search(page.locator(".lab").inner_text())


def lessons_show(
    lessons: Sequence[Lesson],
    shown: Mapping[str, tuple[str, str]],
    open_it: Callable[[str], Page],
) -> None:
    """Assert what each answer's link shows: lesson -> (where on the page, which words)."""
    assert shown.keys() == {lesson.key for lesson in lessons}
    for lesson in lessons:
        state = {**lesson.state, "lesson": lesson.key, "answer": str(lesson.right)}
        page = open_it(f"?{urlencode(state)}")
        where, text = shown[lesson.key]
        expect(page.locator(where).first).to_contain_text(text)
