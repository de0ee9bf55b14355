"""Answers that are late: the page, its link, its sliders and downloads come out right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import serve
from tests.browser.waiting import until

# While the file "hold" is there, the server sends nothing, as where it is busy, and writes how many
# runs have ended, and what the link became, that the browser has not heard of.
HOLD_BACK = """
from pathlib import Path
from streamlit.runtime.app_session import AppSession

here = Path(__file__).parent
flush = AppSession.flush_browser_queue

def held(self):
    if not (here / "hold").exists():
        return flush(self)
    waiting = self._browser_queue._queue
    ended = sum(message.WhichOneof("type") == "script_finished" for message in waiting)
    (here / "ended").write_text(str(ended))
    links = [message.page_info_changed.query_string for message in waiting]
    (here / "link").write_text(next(filter(None, reversed(links)), ""))
    self._event_loop.call_later(0.05, self._message_enqueued_callback)
    return []

AppSession.flush_browser_queue = held
"""


@pytest.fixture
def holding(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an app whose answers the test can hold back."""
    (tmp_path / "sitecustomize.py").write_text(HOLD_BACK, encoding="utf-8")
    env = {"PYTHONPATH": str(tmp_path), "GENLIB_RUNS": str(tmp_path / "runs")}
    with serve(tmp_path, env, request) as url:
        yield url


def has_ended(file: Path, runs: int) -> bool:
    return file.read_text() == str(runs)


@pytest.mark.usefixtures("shipped")
def test_the_page_and_its_link_survive_answers_that_are_late(
    page: Page, holding: str, tmp_path: Path, settle: Callable[..., None]
) -> None:
    page.goto(f"{holding}/few-labels?few.rule=Most%20typical&few.who=The%20dataset")
    page.get_by_role("button", name="Label 10 from the dataset, by this rule").click()
    score, other_ways = page.locator(".few-labels .score"), page.get_by_text("Use of unlabelled")
    expect(score).to_contain_text("10 labels:")
    expect(other_ways).to_be_visible()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_function("!location.search.includes('few.labels')")
    expect(other_ways).to_be_hidden()  # the page is shorter without labels
    settle(page)  # that run's end doesn't count
    hold, ended = tmp_path / "hold", tmp_path / "ended"
    ended.write_text("0")
    hold.touch()
    for count, name in enumerate(("Undo", "Reset"), start=1):
        page.get_by_role("button", name=name, exact=True).click()
        until(page, partial(has_ended, ended, count), f"{name}: no run")
    hold.unlink()
    settle(page)
    expect(score).to_contain_text("No label yet")
    page.wait_for_function("!location.search.includes('few.labels')")
    page.get_by_role("button", name="Undo", exact=True).click()
    page.wait_for_function("location.search.includes('few.labels')")
    expect(other_ways).to_be_visible()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_function("!location.search.includes('few.labels')")


@pytest.mark.usefixtures("shipped")
def test_a_slider_stays_where_it_was_left_before_the_answer(
    page: Page, holding: str, tmp_path: Path, settle: Callable[..., None]
) -> None:
    page.goto(f"{holding}/denoise?denoise.strength=0.2")
    slider = page.get_by_role("slider", name="Strength")
    expect(slider).to_have_value("0.2")
    settle(page)
    hold, link = tmp_path / "hold", tmp_path / "link"
    link.write_text("")
    hold.touch()
    slider.press("ArrowRight")
    until(page, lambda: "denoise.strength=0.21" in link.read_text(), "the slider does not rest")
    page.get_by_role("button", name="New noise").click()
    until(page, lambda: "denoise.noise=1" in link.read_text(), "no new noise")
    hold.unlink()
    settle(page)
    expect(slider).to_have_value("0.21")
    expect(page).to_have_url(re.compile(r"denoise\.strength=0\.21(&|$)"))
    assert "denoise.noise=1" in page.url


@pytest.mark.usefixtures("shipped")
def test_the_browser_still_has_what_the_server_relies_on(
    page: Page, holding: str, tmp_path: Path, settle: Callable[..., None]
) -> None:
    """The page of three runs ago comes back before the answer to the last one is there."""
    page.goto(f"{holding}/few-labels?few.rule=Most%20typical")
    score, card = page.locator(".few-labels .score"), page.locator(".few-labels .card")
    expect(score).to_contain_text("No label yet")
    settle(page)
    page.locator(".few-labels .next").click()
    card.get_by_role("button", name="3", exact=True).click()
    page.wait_for_function("/few.labels=\\d+\\.3/.test(location.search)")
    settle(page)
    hold, ended = tmp_path / "hold", tmp_path / "ended"
    ended.write_text("0")
    hold.touch()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("7")
    until(page, partial(has_ended, ended, 1), "no second label")
    page.get_by_role("button", name="Reset", exact=True).click()
    until(page, partial(has_ended, ended, 2), "Reset: no run")
    hold.unlink()
    page.wait_for_function("!location.search.includes('few.labels')")
    settle(page)
    expect(score).to_contain_text("No label yet")
    expect(page.get_by_text("Use of unlabelled")).to_be_hidden()


@pytest.mark.usefixtures("shipped")
def test_a_download_works_before_the_answer_to_the_last_change(
    page: Page, holding: str, tmp_path: Path, settle: Callable[..., None]
) -> None:
    """The browser still has the name that the file had in the run before."""
    page.goto(f"{holding}/gan?gan.view=Samples")
    save = page.get_by_role("button", name="Grid (PNG)")
    expect(save).to_be_visible()
    settle(page)
    hold, ended = tmp_path / "hold", tmp_path / "ended"
    ended.write_text("0")
    hold.touch()
    page.get_by_role("button", name="New z", exact=True).click()
    until(page, partial(has_ended, ended, 1), "no new samples")
    with page.expect_download() as saved:
        save.click()
        hold.unlink()
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")
