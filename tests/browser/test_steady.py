"""Nothing flickers or jumps when a view changes, in any frame that the browser draws.

While a page changes to a view that it has shown before, its stage is never gone, never empty and
never lower than before and after; its top stays where it is, and so does the place to which the
page is scrolled. The first time that a view is shown, its component may still have to be loaded:
then the stage may be empty for a moment, but all else holds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Page

from genlib.ui import menu
from genlib.ui.kit.stage import css_class
from tests.browser.frames import Film, Frame
from tests.browser.waiting import painted, until

SLACK = 3  # px: rounding, and the border of a focused widget
SCROLLED = 60  # px down the page, so that a jump back to its top would show
VIEWS = {  # pages whose stage has views -> the key of the control that chooses one
    "class-images": "class_images.show",
    "energy-based-gan": "ebgan.view",
    "gan": "gan.view",
    "latent-map": "map.panes",
    "latent-space": "latent_space.view",
    "merged-digits": "merged.how",
    "pca": "pca.view",
    "rbm": "rbm.view",
    "reconstructions": "reconstructions.show",
    "train": "train.show",
}
RELEASED = """() => [...document.styleSheets].every((sheet) => [...sheet.cssRules].every(
    (rule) => rule.selectorText !== ".st-key-stage" || !rule.style.minHeight))"""
OPEN = "[data-testid=stButtonGroup] button"
PRESS = "(button) => button.click()"  # a click of the mouse may scroll to it first


def drawn(page: Page, settle: Callable[..., None]) -> None:
    """Wait until the view is complete: no script runs, and its picture keeps its height."""
    settle(page)
    page.wait_for_function(RELEASED)
    heights: list[float] = []

    def rests() -> bool:
        box = page.locator(".st-key-stage").bounding_box()
        heights.append(box["height"] if box else 0)
        return len(heights) > 8 and heights[-1] > 0 and len(set(heights[-8:])) == 1

    until(page, rests, f"the stage doesn't come to rest: {heights[-8:]}")


def change(page: Page, settle: Callable[..., None], act: Callable[[], object]) -> list[Frame]:
    """The frames from before an act to when the page rests again."""
    film = Film(page)
    painted(page)
    act()
    drawn(page, settle)
    painted(page)
    return film.stop()


def assert_steady(frames: list[Frame], what: str, *, loads: bool = False) -> None:
    first, last = frames[0], frames[-1]
    low = min(first.height, last.height)
    for frame in frames:
        where = f"{what}, {frame.at - first.at:.0f} ms after it: {frame}, at first {first}"
        assert frame.height > 0, f"the stage is gone: {where}"
        assert frame.shows or loads, f"the stage is empty: {where}"
        assert frame.height >= low - SLACK, f"the stage collapses, at last {last}: {where}"
        assert abs(frame.top - first.top) <= SLACK, f"the stage jumps: {where}"
        places = (first.scrolled, min(first.scrolled, last.room))  # the second if it gets shorter
        jumped = min(abs(frame.scrolled - place) for place in places)
        assert jumped <= SLACK, f"the page scrolls by itself: {where}"


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("path", VIEWS)
def test_nothing_flickers_or_jumps_when_a_view_changes(
    open_page: Callable[..., Page], settle: Callable[..., None], path: str
) -> None:
    page = open_page(path, width=1280, height=720)
    drawn(page, settle)
    buttons = page.locator(f"{css_class(VIEWS[path])} {OPEN}")
    count = buttons.count()
    assert count > 1, "no views to choose from"
    for loads in (True, False):
        for n in [*range(1, count), 0]:
            page.locator("[data-testid=stMain]").evaluate(f"(e) => e.scrollTo(0, {SCROLLED})")
            said = f"{path}, view {buttons.nth(n).inner_text()}"
            frames = change(page, settle, partial(buttons.nth(n).evaluate, PRESS))
            assert_steady(frames, said, loads=loads)
    move_main_control(page, settle, path)


# Whether the stage still keeps its height when the old pictures go.
WHEN_IT_GOES = f"""() => {{
    const released = {RELEASED}
    let shown = false
    const look = () => {{
        const there = document.querySelector(".genlib-old") !== null
        if (shown && !there) window.genlibKept = !released()
        shown = there
        requestAnimationFrame(look)
    }}
    look()
}}"""

# What Streamlit does on a slow machine with elements that a script hasn't sent again so far.
HIDE_THE_OLD = """() => {
    const app = document.querySelector("[data-testid=stApp]")
    new MutationObserver((_, self) => {
        if (app.dataset.testScriptState === "notRunning") return
        self.disconnect()
        const rule = document.head.appendChild(document.createElement("style"))
        rule.textContent = ".st-key-rbm-chain { display: none }"
    }).observe(app, {attributeFilter: ["data-test-script-state"]})
}"""


@pytest.mark.usefixtures("shipped")
def test_a_picture_that_is_hidden_before_the_next_one_is_there_stays_in_sight(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page = open_page("rbm", width=1280, height=720)
    weights = page.locator(f"{css_class(VIEWS['rbm'])} {OPEN}").filter(has_text="Weights")
    drawn(page, settle)
    page.evaluate(HIDE_THE_OLD)
    frames = change(page, settle, partial(weights.evaluate, PRESS))
    assert_steady(frames, "rbm, its chain hidden")
    assert page.locator(".genlib-old").count() == 0, "the old picture stays for good"


@pytest.mark.usefixtures("shipped")
def test_old_pictures_do_not_lie_over_a_view_of_words(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page = open_page("pca", width=1280, height=720)
    drawn(page, settle)
    page.evaluate(WHEN_IT_GOES)
    views = page.locator(f"{css_class(VIEWS['pca'])} {OPEN}")
    views.filter(has_text="Linear autoencoder").evaluate(PRESS)
    page.wait_for_function("window.genlibKept !== undefined")
    assert page.evaluate("window.genlibKept"), "they stay as long as the height does"


# A script takes the picture off the page, and something asks for a size, before it is said to run.
SHORTER = """async (scrolled) => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
    const of = (selector) => document.querySelector(selector)
    const app = of("[data-testid=stApp]"), main = of("[data-testid=stMain]")
    const row = of(".st-key-stage").closest("[data-testid=stHorizontalBlock]")
    main.scrollTo(0, scrolled)
    await frame()
    document.body.click()
    row.style.display = "none"
    const meanwhile = main.scrollTop
    app.dataset.testScriptState = "running"
    await frame()
    const afterwards = main.scrollTop
    row.style.display = ""
    app.dataset.testScriptState = "notRunning"
    return [meanwhile, afterwards]
}"""


@pytest.mark.usefixtures("shipped")
def test_a_page_that_is_shorter_for_a_moment_stays_scrolled_to_its_place(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page = open_page("latent-map", width=1280, height=720)
    drawn(page, settle)
    meanwhile, afterwards = page.evaluate(SHORTER, SCROLLED)
    assert meanwhile < SCROLLED, "the page didn't get shorter"
    assert afterwards == SCROLLED


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("path", ["denoise", "pixelcnn"])
def test_nothing_flickers_or_jumps_when_the_main_control_moves(
    open_page: Callable[..., Page], settle: Callable[..., None], path: str
) -> None:
    """On pages without views; on the others the test above moves it, too."""
    page = open_page(path, width=1280, height=720)
    drawn(page, settle)
    assert move_main_control(page, settle, path), "no slider to move"


def move_main_control(page: Page, settle: Callable[..., None], path: str) -> bool:
    """Move the slider of the page's main control once each way; returns whether there is one."""
    key = next(row.control for row in menu.PAGES if row.path == path)
    slider = page.locator(f"{css_class(key)} :is(input[type=range], [role=slider]):visible").first
    if not slider.count() or not slider.is_enabled():
        return False
    for way in ("ArrowLeft", "ArrowRight"):
        slider.focus()
        frames = change(page, settle, partial(page.keyboard.press, way))
        assert_steady(frames, f"{path}, {way} on {key}")
    return True
