"""Home in a real browser: pictures of the models arrive, crisp, and lead to their pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.waiting import painted, until

PICTURES = "[data-testid=stMain] [data-testid=stImage] img"
SPREAD = """(img) => {
    const canvas = document.createElement("canvas");
    canvas.width = img.naturalWidth;
    canvas.height = img.naturalHeight;
    const pen = canvas.getContext("2d");
    pen.drawImage(img, 0, 0);
    const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    let low = 255, high = 0;
    for (let i = 0; i < data.length; i += 4) {
        low = Math.min(low, data[i]);
        high = Math.max(high, data[i]);
    }
    return high - low;
}"""


@pytest.fixture
def home(open_page: Callable[..., Page], shipped: Path) -> Page:
    """Home with every picture drawn."""
    page = open_page("")
    page.wait_for_function(
        """(selector) => {
            const images = [...document.querySelectorAll(selector)];
            return images.length >= 8 && images.every((img) => img.complete && img.naturalWidth)
                && new Set(images.map((img) => img.src)).size === images.length;
        }""",
        arg=PICTURES,
    )
    return page


def test_each_card_gets_a_picture_of_its_own(home: Page) -> None:
    pictures = home.locator(PICTURES)
    for index in range(pictures.count()):
        picture = pictures.nth(index)
        picture.scroll_into_view_if_needed()
        expect(picture).to_be_visible()
        assert picture.evaluate(SPREAD) > 60, f"picture {index} is blank"


def test_pixels_are_crisp(home: Page) -> None:
    shown = home.locator(PICTURES).first.evaluate(
        "(img) => [getComputedStyle(img).imageRendering, img.clientWidth / img.naturalWidth]"
    )
    assert shown == ["pixelated", 1]


def test_polling_stops_when_everything_is_drawn(home: Page) -> None:
    home.evaluate(
        """() => {
            window.sent = 0;
            const send = WebSocket.prototype.send;
            WebSocket.prototype.send = function (data) { window.sent += 1; send.call(this, data); };
        }"""
    )

    def quiet() -> bool:
        home.evaluate("window.sent = 0")
        home.wait_for_timeout(1500)  # three times the pause between two polls
        return bool(home.evaluate("window.sent") == 0)

    until(home, quiet, "the page never stops asking")


def test_a_card_leads_to_its_page(home: Page, settle: Callable[..., None], app_url: str) -> None:
    home.get_by_test_id("stMain").get_by_role("link", name="Merged digits").click()
    home.wait_for_url("**/merged-digits*")
    settle(home)
    expect(home.locator("h1").first).to_contain_text("merged digits", ignore_case=True)


def test_nothing_is_cut_off_on_a_narrow_screen(home: Page) -> None:
    home.set_viewport_size({"width": 820, "height": 1180})
    home.wait_for_function("innerWidth === 820")
    painted(home)
    main = home.get_by_test_id("stMain")
    fits = "(main) => main.scrollWidth <= main.clientWidth"
    until(home, lambda: bool(main.evaluate(fits)), "something is cut off")


def test_the_first_click_opens_the_model_it_speaks_of(
    home: Page, settle: Callable[..., None], shipped: Path
) -> None:
    if not (shipped / "vae-2.safetensors").is_file():
        pytest.skip("no vae-2 in checkpoints/: build it with genlib train --recipe vae-2")
    home.get_by_role("link", name="Drag a digit into another").click()
    home.wait_for_url("**/latent-space?**")
    settle(home)
    picker = home.get_by_test_id("stSelectbox").first
    until(
        home,
        lambda: (
            picker.locator("input").first.input_value() == "vae-2"
            or picker.get_by_text("vae-2", exact=True).count() == 1
        ),
        "another model is chosen",
    )
