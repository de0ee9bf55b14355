"""Train by clicking, in a real browser: the curve and the pictures change while one watches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.waiting import go, until

STOP = '{"pause": false, "stop": true, "lr": null}'


@pytest.fixture(autouse=True)
def no_run_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stop what a failed test left training: a run outlives the server, as it should."""
    yield
    for path in tmp_path_factory.getbasetemp().glob("server*/runs/*/control.json"):
        path.write_text(STOP)


def set_number(page: Page, settle: Callable[..., None], label: str, value: str) -> None:
    page.get_by_role("spinbutton", name=label, exact=True).fill(value)
    page.keyboard.press("Enter")
    settle(page)


def metric(page: Page, label: str) -> str:
    box = page.get_by_test_id("stMetric").filter(has_text=label)
    return box.get_by_test_id("stMetricValue").first.inner_text()


def preview(page: Page) -> str:
    """The address of the preview picture: its pixels, for it is a data address."""
    return page.get_by_test_id("stImage").locator("img").first.get_attribute("src") or ""


def wait_for_other(page: Page, look: Callable[[Page], str], old: str) -> str:
    until(page, lambda: look(page) != old, f"it stayed {old[:80]!r}")
    return look(page)


def standing_still(page: Page, label: str) -> str:
    """A number once it has stayed the same for two seconds; it is drawn later than the state."""
    seen = [metric(page, label)]

    def still() -> bool:
        page.wait_for_timeout(2000)
        seen.append(metric(page, label))
        return seen[-2] == seen[-1]

    until(page, still, f"{label} goes on")
    return seen[-1]


def state(page: Page) -> str:
    """The badge next to the run's name; the icon's name goes before the word."""
    badge = page.locator("h3").locator("xpath=ancestor::*[@data-testid='stHorizontalBlock'][1]")
    return badge.locator(".stMarkdownBadge").first.inner_text().split()[-1]


def curve(page: Page) -> bytes:
    return page.get_by_test_id("stVegaLiteChart").first.screenshot()


def test_train_watch_refresh_pause_and_stop(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    page = open_page("")
    page = open_page("train?train.dataset=digits&train.autoencoder.batch_size=16")
    set_number(page, settle, "Epochs", "1000")
    set_number(page, settle, "Latent dim", "8")
    # The button starts what the last run of the page has read.
    expect(page.get_by_text(re.compile(",000 steps in total"))).to_be_visible()
    page.get_by_role("button", name="Start training").click()

    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.wait_for()
    page.wait_for_url(re.compile(r"run=autoencoder-\d+"))
    page.get_by_test_id("stImage").first.wait_for()
    first_curve, first_picture = curve(page), preview(page)
    first_epochs = metric(page, "Epochs")
    assert first_picture.startswith("data:image/png")
    wait_for_other(page, preview, first_picture)
    wait_for_other(page, lambda p: metric(p, "Epochs"), first_epochs)
    until(page, lambda: curve(page) != first_curve, "the curve stayed as it was")

    # A refresh in the middle of it: the same run, further on.
    before = int(metric(page, "Epochs").split("/")[0])
    page.reload()
    page.get_by_test_id("stVegaLiteChart").first.wait_for()
    until(page, lambda: state(page) == "running", "the run is no longer shown as running")
    assert int(metric(page, "Epochs").split("/")[0]) >= before
    wait_for_other(page, preview, preview(page))

    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused. The process keeps")).to_be_visible()
    held = standing_still(page, "Epochs")
    page.get_by_role("button", name="Continue").click()
    wait_for_other(page, lambda p: metric(p, "Epochs"), held)

    # Elsewhere and back: the run went on without us.
    go(page, "Train", "Runs")
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    go(page, "Train", "Train")
    page.get_by_role("button", name="Stop").click()
    until(page, lambda: state(page) == "stopped", "the run did not stop")
    settle(page)
    expect(page.get_by_role("button", name="Resume")).to_be_enabled()

    # Kept: named, and open in another page.
    name = page.get_by_role("textbox", name="Name")
    name.fill("by hand")
    name.press("Enter")
    expect(page.get_by_role("heading", name="by hand")).to_be_visible()
    page.get_by_role("link", name="Reconstructions").last.click()
    # Before that page is there, the name is still this one's, and Back leads to Runs.
    page.wait_for_url(re.compile("/reconstructions"))
    expect(page.get_by_text("by hand").first).to_be_visible()

    # Deleted: Undo is there at once.
    page.go_back()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="by hand")).to_be_visible()
