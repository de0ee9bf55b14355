"""The Latent map in a real browser: pixels follow the hand; t-SNE ends or is cancelled."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

PCA = "latent-map?map.by=PCA&map.points=500"
TSNE = "latent-map?map.points=2000&map.seed={seed}"
Pixels = Callable[[Page, str], np.ndarray]


@pytest.fixture
def plane(open_page: Callable[..., Page], shipped: object) -> Page:
    """A PCA map of 500 points of vae-20, painted."""
    page = open_page(PCA, height=1200)
    page.locator("canvas.base").wait_for()
    page.wait_for_timeout(1500)  # points have travelled to their places
    return page


def box(page: Page) -> dict[str, float]:
    found = page.locator("canvas.base").bounding_box()
    assert found is not None
    return found


def hover_until(page: Page, words: str) -> tuple[float, float]:
    """Move over the map until the picture beside the pointer says so."""
    area = box(page)
    root = page.locator(".latent-map")
    for step in range(400):
        x = area["x"] + area["width"] * (0.25 + 0.5 * ((step * 0.137) % 1))
        y = area["y"] + area["height"] * (0.25 + 0.5 * ((step * 0.071) % 1))
        page.mouse.move(x, y)
        page.wait_for_timeout(30)
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


def test_hovering_answers_within_a_frame_or_two_at_ten_thousand_points(open_page, shipped):
    page = open_page("latent-map?map.by=PCA&map.points=10000", height=1200)
    page.locator("canvas.base").wait_for()
    page.wait_for_timeout(3000)
    hover_until(page, "test image")
    area, times = box(page), []
    for step in range(40):
        page.mouse.move(area["x"] + 200 + 8 * step, area["y"] + 250 + (step % 9) * 12)
        page.wait_for_timeout(40)
        times.append(float(page.locator(".latent-map").get_attribute("data-hover-ms") or 0))
    print(f"hover to picture, 10,000 points: p50 {np.median(times):.1f} ms, max {max(times):.1f}")
    assert np.median(times) < 40


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
    plane.wait_for_timeout(300)
    marked = canvas_pixels(plane, "canvas.top")
    assert (marked != before).sum() > 400, "rays to the neighbours"
    plane.get_by_role("button", name="Clear selection").click()
    expect(plane.get_by_text("Click a point")).to_be_visible()
    expect(plane).not_to_have_url(re.compile("map.pick"))


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
    plane.wait_for_timeout(400)
    after = canvas_pixels(plane, "canvas.base").astype(int)
    assert np.abs(after - before).max() > 60


def test_zooming_turns_dots_into_pictures_and_fit_brings_all_back(plane, canvas_pixels):
    before = canvas_pixels(plane, "canvas.base")
    area = box(plane)
    plane.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    for _ in range(9):
        plane.mouse.wheel(0, -200)
        plane.wait_for_timeout(40)
    plane.wait_for_timeout(300)
    near = canvas_pixels(plane, "canvas.base")
    black = (near[..., :3].sum(axis=2) == 0).mean()
    assert black > 0.005, "thumbnails have black ground"
    plane.get_by_role("button", name="Fit").click()
    plane.wait_for_timeout(800)
    again = canvas_pixels(plane, "canvas.base")
    assert (again != before).any(axis=2).mean() < 0.01


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
    pinch(plane, centre, 20, 240)
    plane.wait_for_timeout(600)
    near = canvas_pixels(plane, "canvas.base")
    assert (near != before).any(axis=2).mean() > 0.1
    black = (near[..., :3].sum(axis=2) == 0).mean()
    assert black > 0.005, "twelve times as near, thumbnails with their black ground are shown"
    pinch(plane, centre, 240, 20)
    plane.wait_for_timeout(600)
    again = canvas_pixels(plane, "canvas.base")
    assert (again != before).any(axis=2).mean() < 0.02, "and back by the same way"


def test_the_legend_hides_a_class(plane, canvas_pixels):
    before = canvas_pixels(plane, "canvas.base")
    chip = plane.locator(".chip").first
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
    plane.wait_for_timeout(400)
    assert (canvas_pixels(plane, "canvas.base") != before).any()


def test_the_epoch_slider_moves_the_points(plane, canvas_pixels, settle):
    before = canvas_pixels(plane, "canvas.base")
    plane.get_by_role("slider", name="Training epoch").press("ArrowLeft")
    settle(plane)
    plane.wait_for_timeout(1500)
    assert (canvas_pixels(plane, "canvas.base") != before).any()


def test_tsne_moves_while_it_optimises_and_runs_to_its_end(open_page, shipped, canvas_pixels):
    page = open_page(TSNE.format(seed=4321), height=1200)
    csv = page.get_by_role("button", name="Coordinates (CSV)")
    frames = set()
    for _ in range(600):
        if page.locator("canvas.base").count():
            frames.add(canvas_pixels(page, "canvas.base").tobytes())
        if csv.count() and csv.is_enabled():
            break
        page.wait_for_timeout(20)
    expect(csv).to_be_enabled(timeout=60_000)
    expect(page.get_by_text("t-SNE finished")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_disabled()
    assert len(frames) >= 3, "the map moved while it was computed"
    with page.expect_download() as download:
        csv.click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "test_image,class,x,y"
    assert len(lines) == 2001
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_tsne_can_be_cancelled_and_stays_as_it_was(open_page, shipped, canvas_pixels):
    page = open_page("latent-map?map.points=2000&map.seed=99", height=1200)
    cancel = page.get_by_role("button", name="Cancel")
    expect(page.get_by_text(re.compile("iteration [1-9]")).first).to_be_visible(timeout=90_000)
    cancel.click()
    expect(page.get_by_text(re.compile("Cancelled at iteration"))).to_be_visible()
    page.wait_for_timeout(1200)
    still = canvas_pixels(page, "canvas.base")
    page.wait_for_timeout(1500)
    assert np.array_equal(canvas_pixels(page, "canvas.base"), still)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
