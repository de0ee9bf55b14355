"""Picture first: on every screen the stage and the control that moves it are visible at once.

Every page is opened by its own link.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from genlib.runs import queue
from genlib.runs.directory import RunSpec
from genlib.ui import menu
from genlib.ui.kit.stage import css_class
from tests.browser.waiting import until
from tests.helpers import train

SCREENS = ((1280, 720, 0.8), (1440, 900, 0.8), (390, 844, 0.6))  # width, height, share in sight
LEAST = 150  # pixels of height below which nothing is a stage
STAGED = [("" if row.path == "home" else row.path, row.control) for row in menu.PAGES]
VIEWS = [("gan?gan.view=Verdict", "gan.verdicts"), ("gan?gan.view=Training", "gan.epoch")]
IN_SIGHT = """(element) => {
    const {top, bottom, height, left, right} = element.getBoundingClientRect()
    const share = (low, high, all) => (Math.min(all, high) - Math.max(0, low)) / (high - low)
    const {clientWidth, clientHeight} = document.documentElement
    return {height, down: share(top, bottom, clientHeight), across: share(left, right, clientWidth)}
}"""
# The least heights that the stage has, in all frames to come, while it is enlarged.
LEAST_HEIGHTS = """() => {
    window.seen = []
    const look = () => {
        const stage = document.querySelector(".st-key-stage")
        const {minHeight} = stage ? getComputedStyle(stage) : {}
        if (stage?.style.zoom && !seen.includes(minHeight)) seen.push(minHeight)
        requestAnimationFrame(look)
    }
    look()
}"""
TABS = 5  # from the stage to its main control, at most
# What has the focus, in shadow roots too, or a box around it, has an outline or a coloured border.
# Also where both are inside of a component.
HAS_FOCUS = """(element) => {
    let active = document.activeElement
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement
    for (let node = active; node; node = node.parentNode ?? node.host) {
        if (node === element) return true
    }
    return false
}"""
FOCUS_SHOWS = """() => {
    let element = document.activeElement
    while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    const seen = ({outlineStyle, outlineWidth, boxShadow}) =>
        (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none"
    const plain = (one) => {
        const {borderColor} = getComputedStyle(one)
        const focused = document.activeElement
        focused.blur()
        const before = getComputedStyle(one).borderColor
        focused.focus()
        return borderColor === before
    }
    for (let at = element, k = 0; at && k < 6; at = at.parentElement, k += 1) {
        const pseudo = ["::before", "::after"].some((name) => seen(getComputedStyle(at, name)))
        if (seen(getComputedStyle(at)) || pseudo || !plain(at)) return true
    }
    return false
}"""
# Controls that, scrolled to below the middle of the screen, something else lies on.
COVERED = """async () => {
    const main = document.querySelector("[data-testid=stMain]")
    const covered = []
    const controls = ".st-key-controls [data-testid=stElementContainer]"
    for (const one of document.querySelectorAll(controls)) {
        if (!one.checkVisibility() || one.offsetHeight < 8 || one.offsetWidth < 8) continue
        const before = one.getBoundingClientRect()
        main.scrollBy(0, before.top + before.height / 2 - 0.62 * innerHeight)
        await new Promise(requestAnimationFrame) // present/pin.js follows in the next frame
        const {left, top, width, height} = one.getBoundingClientRect()
        const hit = document.elementFromPoint(left + width / 2, top + height / 2)
        if (hit !== one && !one.contains(hit)) covered.push(`${one.className}: ${hit?.className}`)
    }
    const stage = document.querySelector("[data-testid=stColumn]:has(.st-key-stage)")
    const {position, backgroundColor} = stage ? getComputedStyle(stage) : {}
    const seeThrough = /rgba|transparent/.test(backgroundColor)
    if (position === "sticky" && seeThrough) covered.push("see-through")
    main.scrollTo(0, 0)
    return covered
}"""
TOO_WIDE = """() => {
    const main = document.querySelector("[data-testid=stMain]")
    const page = document.documentElement
    return Math.max(main.scrollWidth - main.clientWidth, page.scrollWidth - innerWidth)
}"""


def drawn(tab: Page, stage: Locator) -> None:
    """Wait until the stage holds its picture: components draw after the script has run."""
    heights: list[float] = []

    def keeps_its_height() -> bool:
        heights.append(stage.evaluate(IN_SIGHT)["height"])
        return heights[-1] >= LEAST and heights[-8:].count(heights[-1]) == 8

    until(tab, keeps_its_height, f"no picture in the stage: {heights[-3:]} pixels high")


def control_is_whole(control: Locator, *, on_phone: bool) -> bool:
    """Whether a control is in sight; of a view that is higher than a phone, what moves it."""
    main = control.locator("[data-control]").first
    found = (main if on_phone and main.count() else control).evaluate(IN_SIGHT)
    return bool(found["down"] > 0.99 and found["across"] > 0.99)


def check(open_page: Callable[..., Page], path: str, key: str, *, keyboard: bool = True) -> None:
    """Assert of a page that its stage and the widget or container of this key are in sight.

    keyboard: and that the keyboard reaches it, which it doesn't where all of it is disabled.
    """
    for width, height, share in SCREENS:
        tab = open_page(path, width=width, height=height)
        stage, control = tab.locator(".st-key-stage"), tab.locator(css_class(key)).first
        expect(stage).to_be_visible()
        expect(control).to_be_visible()
        drawn(tab, stage)
        found = stage.evaluate(IN_SIGHT)
        print(f"{path} {width} x {height}: {found['down']:.0%} of {found['height']:.0f} px")
        assert found["height"] >= LEAST and found["down"] >= share, f"{width} x {height}: {found}"
        whole = partial(control_is_whole, control, on_phone=width == SCREENS[-1][0])
        until(tab, whole, f"{width} x {height}: all of {key} isn't in sight")
        assert tab.evaluate(TOO_WIDE) <= 0, f"{width} x {height} scrolls sideways"
        if width == SCREENS[-1][0]:
            assert tab.evaluate(COVERED) == [], "the picture lies on controls"
        if keyboard and width == SCREENS[0][0]:
            reach_by_keyboard(tab, control, key)


def reach_by_keyboard(tab: Page, control: Locator, key: str) -> None:
    """Assert that the link past the menu leads to the stage, and few Tabs to its control."""
    tab.wait_for_function("window.genlibPresents")
    skip = tab.get_by_role("link", name="Skip to the picture")
    skip.focus()
    assert skip.evaluate("(link) => link.getBoundingClientRect().left") >= 0, "it is out of sight"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.matches('.st-key-stage')")
    for _ in range(TABS):
        tab.keyboard.press("Tab")
        if control.evaluate(HAS_FOCUS):
            break
    else:
        raise AssertionError(f"{TABS} Tabs from the stage don't reach {key}")
    seen = partial(tab.evaluate, FOCUS_SHOWS)  # once the component's style is there
    until(tab, seen, f"the focus within {key} can't be seen")


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(("path", "control"), [*STAGED, *VIEWS], ids=lambda text: text or "home")
def test_the_picture_and_its_control_are_in_the_first_screen(
    page: Page, open_page: Callable[..., Page], path: str, control: str
) -> None:
    check(open_page, path, control)
    expect(page.locator("h1").first).to_be_visible()


@pytest.mark.usefixtures("shipped")
def test_the_menu_has_a_section_for_every_page(open_page: Callable[..., Page]) -> None:
    sections = open_page("latent-space").get_by_test_id("stTopNavSection")
    for row in menu.PAGES:
        if row.path != "home":  # the logo leads Home
            expect(sections.filter(has_text=row.section)).to_be_visible()


def test_of_a_run_the_buttons_curves_and_pictures_are_in_the_first_screen(
    open_page: Callable[..., Page], app_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are runs: watched one by one, and compared in two units."""
    monkeypatch.setenv("GENLIB_RUNS", str(app_runs))
    settings = {"epochs": 2, "limit": 128, "precision": "float32", "threads": 1}
    made = [train(RunSpec(family, "digits", {}, settings)) for family in ("autoencoder", "vae")]
    for run in made:
        check(open_page, f"train?train.show=Watch&run={run.id}", "run.steer", keyboard=False)
    compared = "&".join(f"runs.compare={run.id}" for run in made)
    check(open_page, f"runs?{compared}", "runs.metric")
    for run in made:
        queue.delete(run)


@pytest.mark.usefixtures("shipped")
def test_a_presented_page_is_its_picture_and_answers_to_the_keyboard(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page = open_page("denoise", width=1280, height=720)
    stage, slider = page.locator(".st-key-stage"), page.get_by_role("slider", name="Strength")
    small = stage.evaluate(IN_SIGHT)["height"]
    page.wait_for_function("window.genlibPresents")  # before that nothing listens to arrow keys
    page.evaluate(LEAST_HEIGHTS)
    page.keyboard.press("p")
    page.wait_for_url("**present=1*")
    for folded in (".st-key-controls", "[data-testid=stHeader]", "[data-testid=stPlotlyChart]"):
        expect(page.locator(folded).first).to_be_hidden()
    expect(stage).to_have_attribute("style", re.compile(r"zoom: 1\.\d"))
    settle(page)
    large = stage.evaluate(IN_SIGHT)
    assert large["down"] > 0.99 and large["height"] > small * 0.7
    for height in page.evaluate("seen"):
        assert height in ("auto", "0px"), "it is as high as on the page: it would grow twice"
    before = float(slider.input_value())
    page.keyboard.press("ArrowRight")  # nothing has the focus: the main control takes it
    page.keyboard.press("ArrowRight")
    until(page, lambda: float(slider.input_value()) > before + 0.015, "the slider stayed")
    page.wait_for_url("**denoise.strength=*")
    page.keyboard.press("p")
    page.wait_for_function("!location.search.includes('present')")
    expect(page.locator(".st-key-controls")).to_be_visible()
    slider.focus()
    page.keyboard.press("p")  # an input has the focus, but not one that letters go into
    page.wait_for_url("**present=1*")


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("path", [path for path, _ in STAGED], ids=lambda text: text or "home")
def test_p_presents_a_page_as_soon_as_its_stage_shows(page: Page, app_url: str, path: str) -> None:
    """And its button: while its script and what it draws are still on their way, too."""
    page.goto(f"{app_url}/{path}", wait_until="commit")
    page.locator(".st-key-stage").wait_for(state="attached")
    page.locator(".st-key-present button:visible").wait_for()
    page.keyboard.press("p")
    page.wait_for_url("**present=1*")
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    expect(page.locator(".st-key-stage")).to_be_visible()
