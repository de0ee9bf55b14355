"""Back and Forward in a real browser: one press, one step, on every kind of page."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

SLIDERS = "(all) => all.map((i) => Number(i.value))"


def place(page: Page) -> np.ndarray:
    """z as the sliders of the latent pad show it."""
    return np.array(page.locator(".latent-pad .rows input").evaluate_all(SLIDERS))


def link(page: Page) -> str:
    return page.evaluate("location.search")


def chosen(page: Page, name: str) -> None:
    expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()


@pytest.mark.usefixtures("shipped")
def test_back_returns_to_the_view_and_z_before_in_one_press(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    open_page("")
    page = open_page("latent-space")
    expect(page.locator(".latent-pad .path")).to_have_text(re.compile("^decoded"))
    page.wait_for_function("location.search.includes('latent_space.z=')")
    settle(page)
    stops = [(link(page), place(page), "Around here")]
    for step in ("Random", "Manifold", "Random"):
        before = link(page)
        role = "radio" if step == "Manifold" else "button"
        page.get_by_role(role, name=step).click()
        page.wait_for_function("(before) => location.search !== before", arg=before)
        settle(page)
        view = "Around here" if len(stops) == 1 else "Manifold"
        stops.append((link(page), place(page), view))
    assert len({address for address, _, _ in stops}) == 4
    for address, z, view in reversed(stops[:-1]):
        page.go_back()
        page.wait_for_function("(address) => location.search === address", arg=address)
        chosen(page, view)
        page.wait_for_function(
            f"(z) => Math.abs(({SLIDERS})([...document.querySelectorAll('*')].flatMap((e) => "
            "e.shadowRoot ? [...e.shadowRoot.querySelectorAll('.latent-pad .rows input')] : []))"
            "[0] - z) < 0.0051",
            arg=float(z[0]),
        )
        settle(page)
        assert np.abs(place(page) - z).max() < 0.0051
        assert link(page) == address, "the page stays where Back has led"
    page.go_forward()
    chosen(page, stops[1][2])
    settle(page)
    assert link(page) == stops[1][0]


@pytest.mark.usefixtures("shipped")
def test_the_gan_page_keeps_its_view_when_one_comes_back(
    open_page: Callable[..., Page], settle: Callable[..., None]
) -> None:
    open_page("")
    page = open_page("gan?gan.model=gan-mlp&gan.count=25")
    page.get_by_role("radio", name="Walk", exact=True).click()
    page.wait_for_function("!location.search.includes('gan.count')")
    walk = link(page)
    page.get_by_role("radio", name="Verdict", exact=True).click()
    page.wait_for_function("location.search.includes('gan.view=Verdict')")
    settle(page)
    page.get_by_test_id("stLogoLink").click()
    expect(page.locator("h1")).to_have_text("See how generative models work")
    settle(page)
    page.go_back()
    expect(page.locator("h1")).to_have_text("GAN")
    chosen(page, "Verdict")
    page.go_back()
    chosen(page, "Walk")
    settle(page)
    assert link(page) == walk
    page.go_back()
    chosen(page, "Samples")
    settle(page)
    assert "gan.count=25" in link(page)
