"""Names that people give are shown as plain text: no page loads anything from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Page

from genlib.ui import menu
from genlib.ui.kit.plain import JOINER
from tests import evil as world
from tests.evil import Evil

TOOLTIPS = 6  # looked at on each page
PAGES = (
    *(page.path for page in menu.PAGES),
    *(
        "reconstructions?reconstructions.show=Kernels",
        "gan?gan.view=Training",
        "rbm?rbm.view=Weights",
    ),
)


pytestmark = pytest.mark.no_policy  # pages must not even try

# The middle of the n-th visible help icon, scrolled into view; null if there are not so many.
ICON = """(n) => {
    const icons = document.querySelectorAll("[data-testid=stTooltipHoverTarget]")
    const icon = [...icons].filter((e) => e.checkVisibility())[n]
    if (!icon) return null
    icon.scrollIntoView({block: "center"})
    const {x, y, width, height} = icon.getBoundingClientRect()
    return [x + width / 2, y + height / 2]
}"""


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The hosts of everything that the tab asks for."""
    hosts: list[str] = []
    page.on("request", lambda request: hosts.append(urlsplit(request.url).hostname or ""))
    return hosts


def look_around(page: Page, settle: Callable[..., None]) -> None:
    """Open what is folded, and every kind of help."""
    page.locator("[data-testid=stExpander] summary").evaluate_all(
        "(all) => all.slice(0, 6).forEach((summary) => summary.click())"
    )
    settle(page)
    for number in range(TOOLTIPS):
        # Found and measured at once: a page that polls may replace its icons at any time.
        place = page.evaluate(ICON, number)
        if place is not None:
            page.mouse.move(*place)
            page.wait_for_timeout(250)  # most open; a name in one of them is enough


def check(page: Page, asked: list[str]) -> None:
    """Nothing was asked of another host, and no element would."""
    assert set(asked) <= {"127.0.0.1", ""}, sorted(set(asked))
    away = """(all, host) => all.filter((e) => new URL(e.src || e.href, location).hostname === host)
        .map((e) => e.parentElement.outerHTML)"""
    found = page.locator("img[src], a[href]").evaluate_all(away, world.HOST)
    assert not found, found[0][:500]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_loads_what_a_name_asks_for(
    page: Page, evil_url: str, settle: Callable[..., None], asked: list[str], path: str
) -> None:
    page.goto(f"{evil_url}/{path}", wait_until="domcontentloaded")
    page.wait_for_selector("[data-testid=stMain] [data-testid=stElementContainer]:visible")
    settle(page)
    look_around(page, settle)
    check(page, asked)


@pytest.mark.parametrize("what", ["done", "failed", "Upload", "New run"])
def test_the_train_page_shows_names_letter_by_letter(
    page: Page, evil_url: str, evil: Evil, settle: Callable[..., None], asked: list[str], what: str
) -> None:
    runs = {"done": evil.done, "failed": evil.failed}
    query = {"train.show": "Watch", "run": runs[what]} if what in runs else {"train.show": what}
    if what == "New run":
        query["train.dataset"] = evil.dataset
    page.goto(f"{evil_url}/train?{urlencode(query)}", wait_until="domcontentloaded")
    page.wait_for_selector("[data-testid=stMain] [data-testid=stElementContainer]:visible")
    settle(page)
    look_around(page, settle)
    check(page, asked)
    text = page.locator("[data-testid=stMain]").inner_text().replace(JOINER, "")
    mark = {"done": world.name("n1"), "failed": world.name("m"), "Upload": world.name("k")}
    assert mark.get(what, world.file_name("x")) in text
