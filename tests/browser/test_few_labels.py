"""Few labels: a click and a number key label digits, the map and the accuracy follow, undo."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from genlib.ui.foundations.few_labels import data, panels, state
from genlib.ui.kit import loading
from tests.browser.waiting import go, painted

# Serves the view, but holds back what its calls return while ``gate`` is closed, as a busy browser
# does: the next data then come before Streamlit has been told how to end the view.
LATE_RETURNS = """
import draw from "./view.js?itself"
Object.assign(globalThis, { calls: 0, gate: Promise.resolve() })
globalThis.closeGate = () => {
  globalThis.gate = new Promise((open) => { globalThis.openGate = open })
}
export default (given) => {
  globalThis.calls++
  const end = draw(given)
  return globalThis.gate.then(() => end)
}
"""


@pytest.mark.usefixtures("shipped")
def test_labelling_by_mouse_and_by_keyboard(
    open_page: Callable[..., Page], settle: Callable[..., None], canvas_pixels: Callable
) -> None:
    page = open_page("few-labels?few.rule=Most%20typical", width=1280, height=720)
    score, card = page.locator(".few-labels .score"), page.locator(".few-labels .card")
    expect(score).to_have_text("No label yet: click a digit.")
    page.locator(".few-labels .next").click()
    expect(card).to_be_visible()
    expect(card.locator("p")).to_contain_text("nearer to it")
    card.get_by_role("button", name="3", exact=True).click()
    expect(card).to_be_hidden()
    expect(score).to_contain_text("1 label:")
    page.wait_for_function("/few.labels=\\d+\\.3/.test(location.search)")
    page.keyboard.press("ArrowLeft")  # from the labelled digit to the next one on its left
    page.keyboard.press("7")
    expect(score).to_contain_text("2 labels:")
    page.wait_for_function("/few.labels=\\d+\\.3-\\d+\\.7/.test(location.search)")
    settle(page)
    page.get_by_role("button", name="Undo").click()
    expect(score).to_contain_text("1 label:")
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(score).to_have_text("No label yet: click a digit.")
    page.wait_for_function("!location.search.includes('few.labels')")
    settle(page)
    expect(score).to_have_text("No label yet: click a digit.")
    page.get_by_role("button", name="Undo").click()
    expect(score).to_contain_text("1 label:")


@pytest.mark.usefixtures("shipped")
def test_undo_survives_answers_that_overtake_each_other(
    page: Page, open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page.route(
        "**/few_labels/view.js",
        lambda route: route.fulfill(body=LATE_RETURNS, content_type="text/javascript"),
    )
    open_page("few-labels?few.rule=Most%20typical&few.who=The%20dataset", width=1280, height=720)
    score = page.locator(".few-labels .score")
    page.get_by_role("button", name="Label 10 from the dataset, by this rule").click()
    expect(score).to_contain_text("10 labels:")
    settle(page)
    page.evaluate("closeGate()")
    for button, then in (
        ("Reset", "No label yet"),
        ("Undo", "10 labels:"),
        ("Reset", "No label yet"),
    ):
        calls = page.evaluate("calls")
        page.get_by_role("button", name=button, exact=True).click()
        expect(score).to_contain_text(then)
        page.wait_for_function("(before) => calls > before", arg=calls)  # the server's answer
    page.evaluate("openGate()")
    painted(page)
    page.get_by_role("button", name="Undo").click()
    expect(score).to_contain_text("10 labels:")
    view = page.locator(".few-labels").element_handle()
    go(page, "Foundations", "Sampling")
    page.wait_for_function("(view) => !view.parentNode", arg=view)  # it has ended by itself


@pytest.mark.usefixtures("shipped")
def test_ten_labels_at_once_and_undo_on_the_map(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page = open_page(
        "few-labels?few.rule=Most%20typical&few.who=The%20data%20set", width=1280, height=720
    )
    root, score = page.locator(".few-labels"), page.locator(".few-labels .score")
    page.get_by_role("button", name="Label 10 from the dataset, by this rule").click()
    expect(score).to_contain_text("10 labels:")
    expect(root).to_have_attribute("data-labels", "10")
    settle(page)
    page.get_by_role("button", name="Undo").click()
    expect(root).to_have_attribute("data-labels", "0")
    expect(score).to_have_text(re.compile("No label yet"))
    page.get_by_role("button", name="Mistakes").click()
    expect(page.get_by_role("button", name="Mistakes")).to_have_attribute("aria-pressed", "true")


@pytest.mark.usefixtures("shipped")
def test_another_model_s_map_holds_the_labels_of_the_link(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    by_name = {one.name: data.task(one) for one in loading.checkpoints("Encodes")}
    some, other = by_name["vae-20"], by_name["ae-slides-2d"]
    number = next(n for n in some.row_of if n in other.row_of)
    assert some.row_of[number] != other.row_of[number]
    page = open_page(
        f"few-labels?few.rule=Most%20typical&few.labels={number}.1", width=1280, height=720
    )
    root, card = page.locator(".few-labels"), page.locator(".few-labels .card")
    page.locator(".few-labels .next").click()
    card.get_by_role("button", name="3", exact=True).click()
    page.wait_for_function("/few.labels=\\d+\\.1-\\d+\\.3/.test(location.search)")
    page.locator(".few-labels .next").click()
    expect(card).to_be_visible()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="ae-slides-2d", exact=True).click()
    expect(card).to_be_hidden()  # its digit isn't on this map
    settle(page)
    kept = dict(state.parse(labels_of(page), other))
    assert kept[number] == 1 and root.get_attribute("data-labels") == str(len(kept))
    page.locator(".few-labels .next").click()
    card.get_by_role("button", name="5", exact=True).click()  # the browser sends its whole list
    expect(root).to_have_attribute("data-labels", str(len(kept) + 1))
    page.wait_for_function("/\\.5$/.test(new URLSearchParams(location.search).get('few.labels'))")
    sent = state.parse(labels_of(page), other)
    assert state.text(sent) == labels_of(page) and dict(sent[:-1]) == kept


def labels_of(page: Page) -> str:
    """The labels in the link."""
    return str(page.evaluate("new URLSearchParams(location.search).get('few.labels')"))


@pytest.mark.no_policy  # what is opened from a disk comes without the app's
@pytest.mark.usefixtures("shipped")
def test_as_a_file_it_learns_by_itself_and_keeps_labels_in_its_link(
    page: Page, tmp_path: Path
) -> None:
    info = next(one for one in loading.checkpoints("Encodes") if one.name == "vae-20")
    choice = panels.Setting(info, "Latents", "Label spreading", True, panels.RULES[0])
    some = data.task(info)
    pairs = [(int(some.numbers[row]), int(some.y[row])) for row in (3, 1)]
    labels = state.labels(tuple(pairs), some)
    shown = panels.field(choice, some, panels.guess(choice, labels), "pictures")
    file = tmp_path / "few.html"
    file.write_text(panels.as_file(choice, shown, labels), encoding="utf-8")
    page.goto(file.as_uri())
    score = page.locator(".few-labels .score")
    expected = panels.score(some, panels.guess(choice, labels), labels)
    expect(score).to_have_text(expected)
    page.locator(".few-labels .next").click()
    expect(page.locator(".few-labels .card p")).to_contain_text("No digit is less certain")
    page.locator(".few-labels .classes").get_by_role("button", name="4", exact=True).click()
    expect(score).to_contain_text("3 labels:")
    page.wait_for_function(f"location.hash.includes('{state.text(tuple(pairs))}')")
    page.reload()
    expect(score).to_contain_text("3 labels:")
    page.locator(".few-labels select").select_option("Nearest neighbour")
    expect(score).not_to_have_text(expected)
    page.wait_for_function("location.hash.includes('classifier=Nearest')")
