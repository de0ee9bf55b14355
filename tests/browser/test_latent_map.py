"""The Latent map in a real browser: pixels follow the hand; t-SNE ends or is cancelled."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from genlib.data import datasets
from tests.browser.waiting import painted, until

PCA = "latent-map?map.by=PCA&map.points=500"
TSNE = "latent-map?map.points=2000&map.seed={seed}"
Pixels = Callable[[Page, str], np.ndarray]


@pytest.fixture
def plane(open_page: Callable[..., Page], shipped: object) -> Page:
    """A PCA map of 500 points of vae-20, painted: so small that fewer, too, are dots at first."""
    page = open_page(PCA, height=720)
    at_rest(page)
    return page


def at_rest(page: Page) -> None:
    """Wait until every point has travelled to its place, and is painted there."""
    expect(page.locator("canvas.base").first).to_have_attribute("data-moving", "false")
    painted(page)


def black(pixels: np.ndarray) -> float:
    """The share of black pixels: only the ground of thumbnails is black."""
    return float((pixels[..., :3].sum(axis=2) == 0).mean())


def coarse(pixels: np.ndarray, k: int = 8) -> np.ndarray:
    """Mean colours of blocks of k x k pixels: (H / k, W / k, 3).

    A browser may move a canvas that is read often from the GPU to the processor. The dots of the
    same picture then fall on pixels a little differently, and only their means are the same.
    """
    high, wide = pixels.shape[0] // k, pixels.shape[1] // k
    blocks = pixels[: high * k, : wide * k, :3].reshape(high, k, wide, k, 3)
    return blocks.astype(float).mean((1, 3))


def changed(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference of blocks, 0 to 255: 0.5 for the same picture, 2.6 two pixels aside."""
    return float(np.abs(coarse(one) - coarse(other)).mean())


def most_changed(one: np.ndarray, other: np.ndarray) -> float:
    """Largest difference of a block, 0 to 255: 20 for the same picture, above 100 for a new dot."""
    return float(np.abs(coarse(one) - coarse(other)).max())


def box(page: Page) -> dict[str, float]:
    found = page.locator("canvas.base").first.bounding_box()
    assert found is not None
    return found


def hover_until(page: Page, words: str) -> tuple[float, float]:
    """Move over the map until the picture next to the pointer says so."""
    area = box(page)
    root = page.locator(".latent-map").first
    for step in range(400):
        x = area["x"] + area["width"] * (0.25 + 0.5 * ((step * 0.137) % 1))
        y = area["y"] + area["height"] * (0.25 + 0.5 * ((step * 0.071) % 1))
        page.mouse.move(x, y)
        painted(page)
        if re.search(words, root.get_attribute("data-hover") or ""):
            return x, y
    raise AssertionError(f"no place on the map says {words}")


def test_hovering_shows_the_picture_and_decodes_empty_places(plane, canvas_pixels):
    top = canvas_pixels(plane, "canvas.top")
    hover_until(plane, "test image")
    shown = canvas_pixels(plane, ".tip canvas")
    assert shown[..., 0].max() > 200, "a digit's ink"
    assert (canvas_pixels(plane, "canvas.top") != top).any(), "the point under the mouse is ringed"
    hover_until(plane, "decoded from this place")
    decoded = canvas_pixels(plane, ".tip canvas")
    assert (decoded != shown).any()
    assert decoded[..., 0].max() > 60


def busy_seconds(page: Page) -> Callable[[], float]:
    """A clock of the processor time that the page has used since now: other work doesn't count."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def used() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(float(m["value"]) for m in metrics if m["name"] == "TaskDuration")

    start = used()
    return lambda: used() - start


def test_hovering_takes_a_frame_or_two_at_ten_thousand_points(open_page, shipped):
    page = open_page("latent-map?map.by=PCA&map.points=10000", height=1200)
    at_rest(page)
    hover_until(page, "test image")
    area, busy, seen = box(page), busy_seconds(page), set()
    for step in range(40):
        page.mouse.move(area["x"] + 100 + 12 * step, area["y"] + 150 + (step % 9) * 36)
        painted(page)
        seen.add(page.locator(".latent-map").get_attribute("data-hover"))
    spent = 1000 * busy() / 40
    print(f"hover to picture, 10,000 points: {spent:.1f} ms of one core")
    assert spent < 33 and len(seen) > 10


def test_clicking_shows_neighbours_and_writes_the_link(plane, canvas_pixels, settle):
    x, y = hover_until(plane, "test image")
    number = re.search(
        r"test image (\d+)", plane.locator(".latent-map").get_attribute("data-hover")
    )
    before = canvas_pixels(plane, "canvas.top")
    plane.mouse.click(x, y)
    expect(plane.get_by_text("Nearest codes, nearest first")).to_be_visible()
    settle(plane)
    expect(plane).to_have_url(re.compile(f"map.pick={number[1]}"))
    plane.mouse.move(5, 5)
    until(
        plane,
        lambda: (canvas_pixels(plane, "canvas.top") != before).sum() > 400,
        "no rays to the neighbours",
    )
    plane.get_by_role("button", name="Clear selection").click()
    expect(plane.get_by_text("Click a point")).to_be_visible()
    expect(plane).not_to_have_url(re.compile("map.pick"))


def test_by_keyboard_one_goes_from_point_to_point_and_picks_one(plane, settle):
    canvas = plane.get_by_role("application", name=re.compile("^Map, vae-20.*Enter picks"))
    root, seen = plane.locator(".latent-map"), []
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown"):
        plane.keyboard.press(f"Shift+{key}")
        expect(root).to_have_attribute("data-hover", re.compile("test image"))
        seen.append(root.get_attribute("data-hover"))
    assert seen[0] != seen[1] and seen[2] != seen[3]
    expect(plane.locator(".tip")).to_be_visible()
    number = seen[3].split()[-1]
    plane.keyboard.press("Enter")
    expect(plane.get_by_text("Nearest codes, nearest first")).to_be_visible()
    settle(plane)
    expect(plane).to_have_url(re.compile(f"map.pick={number}(&|$)"))
    plane.keyboard.press("Enter")
    expect(plane).not_to_have_url(re.compile("map.pick"))
    canvas.blur()
    expect(plane.locator(".tip")).to_be_hidden()


def test_lasso_shows_the_chosen_digits_and_fades_the_others(plane, canvas_pixels):
    before = canvas_pixels(plane, "canvas.base").astype(int)
    plane.get_by_role("tab", name="Lasso").click()
    plane.get_by_role("button", name="Lasso", exact=True).click()
    area = box(plane)
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    plane.mouse.move(x - 110, y - 110)
    plane.mouse.down()
    for dx, dy in ((110, -110), (110, 110), (-110, 110)):
        plane.mouse.move(x + dx, y + dy, steps=5)
    plane.mouse.up()
    expect(plane.get_by_text(re.compile(r"\d+ digits"))).to_be_visible()

    def change() -> int:
        return int(np.abs(canvas_pixels(plane, "canvas.base").astype(int) - before).max())

    until(plane, lambda: change() > 60, "the others did not fade")


def thumbnails(page: Page, canvas_pixels: Pixels) -> bool:
    """Whether points are shown as pictures."""
    return black(canvas_pixels(page, "canvas.base")) > 0.002


def test_zooming_turns_dots_into_pictures_and_fit_brings_all_back(plane, canvas_pixels):
    before = canvas_pixels(plane, "canvas.base")
    area = box(plane)
    plane.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    plane.evaluate(
        "window.turned = 0; addEventListener('wheel', (e) => { turned += e.deltaY }, true)"
    )
    for _ in range(9):
        plane.mouse.wheel(0, -200)
    plane.wait_for_function("turned === -1800")  # a busy browser delivers them later than a click
    assert black(before) == 0, "dots are not black"
    until(plane, lambda: thumbnails(plane, canvas_pixels), "no thumbnails with their black ground")
    plane.get_by_role("button", name="Fit").click()
    until(
        plane,
        lambda: changed(canvas_pixels(plane, "canvas.base"), before) < 1,
        "Fit does not bring all points back",
    )


def pinch(page: Page, centre: tuple[float, float], start: int, end: int, steps: int = 10) -> None:
    """Two fingers on one height, `start` CSS pixels from the centre each, go to `end`."""
    session = page.context.new_cdp_session(page)  # a touch belongs to the session that began it

    def touch(kind: str, apart: float) -> None:
        fingers = [{"x": centre[0] + side * apart, "y": centre[1]} for side in (-1, 1)]
        points = [{**finger, "id": n} for n, finger in enumerate(fingers)]
        event = {"type": kind, "touchPoints": points if kind != "touchEnd" else []}
        session.send("Input.dispatchTouchEvent", event)

    touch("touchStart", start)
    for step in range(1, steps + 1):
        touch("touchMove", start + (end - start) * step / steps)
    touch("touchEnd", end)
    session.detach()


def test_two_fingers_zoom_where_they_are(plane, canvas_pixels):
    before = canvas_pixels(plane, "canvas.base")
    area = box(plane)
    centre = (area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    assert black(before) == 0, "dots are not black"
    pinch(plane, centre, 20, 240)
    until(plane, lambda: thumbnails(plane, canvas_pixels), "no thumbnails with their black ground")
    assert changed(canvas_pixels(plane, "canvas.base"), before) > 4, "twelve times as near"
    pinch(plane, centre, 240, 20)
    until(
        plane,
        lambda: changed(canvas_pixels(plane, "canvas.base"), before) < 2,
        "it does not come back by the same way",
    )


def test_the_legend_hides_a_class(plane, canvas_pixels):
    before = canvas_pixels(plane, "canvas.base")
    chip = plane.locator(".chip").first
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
    until(
        plane,
        lambda: most_changed(canvas_pixels(plane, "canvas.base"), before) > 60,
        "the points of the class are still there",
    )


def test_the_epoch_slider_moves_the_points(plane, canvas_pixels, settle):
    before = canvas_pixels(plane, "canvas.base")
    plane.get_by_role("slider", name="Training epoch").press("ArrowLeft")
    until(
        plane,
        lambda: most_changed(canvas_pixels(plane, "canvas.base"), before) > 60,
        "the points stay where they were",
    )
    settle(plane)


# Counts the different pictures on the map's canvas, one look in each animation frame.
COUNT_MAPS = """() => {
    window.maps = new Set()
    const find = (node) => {
        for (const e of node.querySelectorAll("*")) {
            const found = e.matches("canvas.base") ? e : e.shadowRoot && find(e.shadowRoot)
            if (found) return found
        }
    }
    let canvas = null
    const look = () => {
        requestAnimationFrame(look)
        canvas = canvas?.isConnected ? canvas : find(document)
        if (!canvas?.width || !canvas.dataset.moving || maps.size > 9) return
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
        let sum = 0
        for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i]) | 0
        maps.add(sum)
    }
    look()
}"""


def test_tsne_moves_while_it_optimises_and_runs_to_its_end(page, open_page, shipped):
    page.add_init_script(f"({COUNT_MAPS})()")
    open_page(TSNE.format(seed=4321), height=1200)
    csv = page.get_by_role("button", name="Coordinates (CSV)")
    expect(csv).to_be_enabled()
    expect(page.get_by_text("t-SNE finished")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_disabled()
    tested = datasets.load("mnist").test_x  # or what stands in for it where it is not here
    if len(tested) >= 2000:  # the map of fewer points is finished before it is shown
        assert page.evaluate("maps.size") >= 3, "the map moved while it was computed"
    with page.expect_download() as download:
        csv.click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "test_image,class,x,y"
    assert len(lines) == 1 + min(2000, len(tested))
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


# Presses Cancel as soon as there is a map, faster than any hand; says so, or that it was finished.
CANCEL = """() => {
    const main = document.querySelector("[data-testid=stMain]")
    if (main.innerText.includes("t-SNE finished")) return "finished"
    const button = [...main.querySelectorAll("button")].find((b) => b.innerText.includes("Cancel"))
    if (!button || button.disabled || !/iteration [1-9]/.test(main.innerText)) return ""
    button.click()
    return "pressed"
}"""


def cancelled(page: Page) -> bool:
    """Cancel the t-SNE once it has a map; False if it was finished sooner."""
    page.wait_for_function(CANCEL)
    said = page.get_by_text(re.compile("Cancelled at iteration"))
    expect(said.or_(page.get_by_text("t-SNE finished"))).to_be_visible()
    return said.is_visible()


def test_tsne_can_be_cancelled_and_stays_as_it_was(open_page, settle, shipped, canvas_pixels):
    for seed in range(99, 109):  # of few points on a fast machine, some are finished at once
        page = open_page(f"latent-map?map.points=2000&map.seed={seed}", height=1200)
        if cancelled(page):
            break
    expect(page.get_by_text(re.compile("Cancelled at iteration"))).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    settle(page)  # the button comes before the map, whose last frame may be newer than the one seen
    painted(page)
    at_rest(page)
    still = canvas_pixels(page, "canvas.base")
    page.wait_for_timeout(1500)
    assert changed(canvas_pixels(page, "canvas.base"), still) < 1


def test_a_map_comes_whose_pictures_the_server_has_forgotten(page, open_page, shipped):
    refused, said = [], []

    def refuse_once(route):
        if refused:
            return route.continue_()
        refused.append(route.request.url)
        route.fulfill(status=404, body="This packet is gone.")

    page.route("**/packets/*", refuse_once)
    page.on("websocket", lambda socket: socket.on("framesent", lambda sent: said.append(sent)))
    open_page(PCA, height=720)
    at_rest(page)
    hover_until(page, "test image")  # which needs the pictures
    assert refused, "no packet was asked for"
    assert any(b"gone" in sent for sent in said if isinstance(sent, bytes)), "nothing ran again"


def test_three_epochs_have_pictures_after_playing_through_all_of_them(
    open_page, shipped, canvas_pixels
):
    page = open_page(PCA, height=720)
    at_rest(page)
    page.get_by_role("button", name="Play").click()  # each epoch brings codes of its own
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_text("Three epochs", exact=True).click()
    expect(page.locator(".latent-map")).to_have_count(3)
    at_rest(page)
    hover_until(page, "test image")
    assert canvas_pixels(page, ".tip canvas")[..., 0].max() > 200, "a digit's ink"
