"""Sampling: u by hand, samples by F⁻¹, a density drawn by hand, and a GAN, all in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from tests.browser.waiting import until

Read = Callable[[Page, str], NDArray[np.uint8]]


def fact(page: Page, name: str) -> str:
    """What the component last drew: step, log, busy."""
    return page.locator(".sampling").get_attribute(f"data-{name}") or ""


def drawn(page: Page) -> Page:
    until(page, lambda: fact(page, "step") != "", "nothing was drawn")
    return page


def drag(page: Page, canvas: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    box = canvas.bounding_box()
    assert box is not None
    (x, y), (to_x, to_y) = [
        (box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in (start, end)
    ]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=8)
    page.mouse.up()


def test_u_goes_through_the_inverse_of_f(
    open_page: Callable[..., Page], canvas_pixels: Read
) -> None:
    page = drawn(open_page("sampling"))
    chart = page.locator(".sampling canvas.cdf")
    chart.focus()
    page.keyboard.press("ArrowUp")
    expect(chart).to_have_attribute("aria-label", "u = 0.520 → x = F⁻¹(u) = 0.76")
    before = canvas_pixels(page, ".sampling canvas.density")
    page.get_by_role("button", name="1,000").click()
    expect(page.locator(".sampling .count")).to_have_text("1,000")
    page.wait_for_function("location.search.includes('sampling.n=1000')")
    until(
        page,
        lambda: (canvas_pixels(page, ".sampling canvas.density") != before).any(),
        "no histogram",
    )


def test_a_lesson_leaves_room_for_its_chart_and_counts_steps_of_d(
    open_page: Callable[..., Page],
) -> None:
    page = drawn(open_page("sampling?lesson=best", width=1280, height=720))
    page.get_by_role("button", name="p / (p + q)").click()
    expect(page.get_by_text("No D can do better")).to_be_visible()
    until(page, lambda: fact(page, "log") == "100b~500d", "the page did not train to the state")
    expect(page.locator(".sampling .replay")).to_be_hidden()
    expect(page.locator(".sampling .step")).to_have_text("100")
    expect(page.locator(".sampling .d-steps")).to_have_text("D 600")
    for chart in ("quantiles", "judge"):
        expect(page.locator(f".sampling canvas.{chart}")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Rewind").click()
    page.get_by_role("button", name="Step D").click()
    expect(page.locator(".sampling .losses")).to_have_text(re.compile(r"^\d\.\d\d, –$"))


def test_a_density_can_be_drawn_and_trains_a_gan(open_page: Callable[..., Page]) -> None:
    page = drawn(open_page("sampling?sampling.batch=16"))
    drag(page, page.locator(".sampling canvas.density"), (0.2, 0.5), (0.8, 0.3))
    page.wait_for_function("/sampling.heights=[\\w-]{48}/.test(location.search)")
    expect(page.locator(".sampling select[name=density]")).to_have_value("drawn by hand")
    page.get_by_role("button", name="Play", exact=True).nth(1).click()
    until(page, lambda: int(fact(page, "step") or 0) > 40, "it does not train")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function("location.search.includes('sampling.log=')")
    log = page.evaluate("new URLSearchParams(location.search).get('sampling.log')")
    page.reload()
    until(page, lambda: fact(page, "log") == log, "the link opened another state")
    page.get_by_role("button", name="As code").click()
    expect(page.locator(".sampling pre")).to_contain_text("import torch")
