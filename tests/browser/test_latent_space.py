"""The Latent space page in a real browser: pixels under the hand, silence on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from genlib.data.datasets import find_mnist
from genlib.models.capabilities import Decodes
from genlib.store import checkpoint
from tests.browser.waiting import painted, until

PICTURE = "canvas.picture"
Read = Callable[..., np.ndarray]


COUNT_PICTURES = """() => {
    window.pictures = new Set()
    const find = (node) => {
        for (const e of node.querySelectorAll("*")) {
            const found = e.matches("canvas.picture") ? e : e.shadowRoot && find(e.shadowRoot)
            if (found) return found
        }
    }
    const canvas = find(document)
    const look = () => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
        let sum = 0
        for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i]) | 0
        pictures.add(sum)
        requestAnimationFrame(look)
    }
    look()
}"""


def first_slider(page: Page) -> Locator:
    return page.locator(".latent-pad .rows input[type=range]").first


def wait_for_picture(page: Page) -> None:
    expect(page.locator(".latent-pad .path")).to_have_text(re.compile("^decoded"))
    painted(page)


def told(page: Page, before: str) -> None:
    """Wait until the server has learnt of another z than that of the link ``before``."""
    until(page, lambda: page.url != before, "the server was never told where the hand rests")


def visit(page: Page, open_page: Callable[..., Page]) -> None:
    """Open the page, by way of Home: the first link after a server's start is special."""
    open_page("")
    open_page("latent-space")
    wait_for_picture(page)


def present_z(page: Page) -> np.ndarray:
    """z as the sliders show it, in the order of the latents."""
    found = page.locator(".latent-pad .rows input").evaluate_all(
        "(all) => all.map((i) => [Number(i.getAttribute('aria-label').slice(8)), Number(i.value)])"
    )
    return np.array([value for _, value in sorted(found)], np.float32)


def shipped_model(shipped: Path, name: str) -> Decodes:
    path = shipped / f"{name}.safetensors"
    if not path.is_file():
        pytest.skip(f"{name} is not in checkpoints/")
    model = checkpoint.load(path)
    assert isinstance(model, Decodes)
    return model


# Notes when the hand moved a slider and when the tab sent something to the server.
LISTEN = """
window.moved = []
window.sent = []
const note = (object, name) => {
    const call = object[name]
    object[name] = function (...all) { sent.push(performance.now()); return call.apply(this, all) }
}
note(WebSocket.prototype, "send")
note(window, "fetch")
addEventListener("input", () => moved.push(performance.now()), true)
"""
REST_MS = 150  # of latent_pad.js: a hand that has not moved for so long rests


def test_a_drag_changes_pixels_and_asks_nothing_of_the_server(
    page: Page,
    open_page: Callable[..., Page],
    settle: Callable[..., None],
    canvas_pixels: Read,
    shipped: Path,
) -> None:
    model = shipped_model(shipped, "vae-20")
    page.add_init_script(LISTEN)
    visit(page, open_page)
    box = first_slider(page).bounding_box()
    assert box is not None
    middle, link = box["y"] + box["height"] / 2, page.url
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.evaluate(COUNT_PICTURES)
    ends = cycle((0.9, 0.6, 0.3))

    def drag() -> bool:
        """One drag; whether at least five pictures were painted on the way."""
        settle(page)
        page.evaluate("pictures.clear(), moved.splice(0, moved.length - 1), sent.length = 0")
        page.mouse.move(box["x"] + next(ends) * box["width"], middle, steps=25)
        moved, sent, pictures = page.evaluate("[moved, sent, pictures.size]")
        # A slow machine makes the hand rest now and then, and sends late what a rest has told.
        pauses = zip(moved, [*moved[1:], float("inf")], strict=True)
        rests = [at + REST_MS for at, then in pauses if then - at >= REST_MS - 1]
        for n, at in enumerate(sent, 1):
            told_by = sum(rest <= at + 1 for rest in rests)
            assert n <= told_by, f"{n} messages after {told_by} rests: {sent}, moved at {moved}"
        return len(moved) >= 10 and pictures >= 5

    until(page, drag, "the picture does not follow the hand")
    page.mouse.up()
    told(page, link)
    settle(page)
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(present_z(page))[None])[0, 0].numpy() * 255
    shown = canvas_pixels(page, PICTURE)[..., 0].astype(float)
    assert np.abs(shown - expected).max() <= 1.0
    first = f"vae-20%3A{present_z(page)[0]:.2f}".rstrip("0")
    until(page, lambda: first in page.url, f"the link does not say {first}: {page.url}")


def test_the_pad_the_keyboard_and_the_buttons_move_z(
    page: Page, open_page: Callable[..., Page], canvas_pixels: Read
) -> None:
    visit(page, open_page)
    start, picture = present_z(page), canvas_pixels(page, PICTURE)
    page.locator("canvas.pad").focus()
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    painted(page)
    moved = present_z(page)
    assert (moved != start).sum() == 1
    assert (canvas_pixels(page, PICTURE) != picture).any()
    first_slider(page).focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Random").click()
    painted(page)
    assert (present_z(page) != start).all()
    page.get_by_role("button", name="Reset").click()
    painted(page)
    assert np.allclose(present_z(page), start, atol=1e-6)
    assert (canvas_pixels(page, PICTURE) == picture).all()


@pytest.mark.skipif(find_mnist() is None, reason="no embedded digit's code is near (-1, 5)")
def test_of_two_latents_the_plane_shows_pictures_and_numbers_set_z(
    open_page: Callable[..., Page], shipped: Path, canvas_pixels: Read
) -> None:
    model = shipped_model(shipped, "ae-slides-2d")
    open_page("")
    page = open_page("latent-space?latent_space.model=ae-slides-2d")
    wait_for_picture(page)
    expect(page.get_by_label("pictures")).to_be_checked()
    expect(page.locator(".latent-pad .legend")).to_be_hidden()
    page.get_by_role("button", name="z = (-1, 5)").click()
    expect(page.get_by_label("z2 as a number")).to_have_value("5.00")
    painted(page)
    assert present_z(page).tolist() == [-1, 5]
    with torch.no_grad():
        expected = model.decode(torch.tensor([[-1.0, 5.0]]))[0, 0].numpy() * 255
    assert np.abs(canvas_pixels(page, PICTURE)[..., 0] - expected).max() <= 1
    page.get_by_label("z1 as a number").fill("2.5")
    page.keyboard.press("Enter")
    painted(page)
    assert present_z(page).tolist() == [2.5, 5]
    page.get_by_label("pictures").uncheck()
    expect(page.locator(".latent-pad .legend")).to_have_text(re.compile("1.*5.*6"))


def test_m_shows_the_measurements(page: Page, open_page: Callable[..., Page]) -> None:
    visit(page, open_page)
    expect(page.locator(".meter")).to_be_hidden()
    page.keyboard.press("m")
    page.get_by_role("button", name="Walk").click()
    said = re.compile(r"ms per frame.*frames/s.*browser.*MB")
    expect(page.locator(".meter")).to_contain_text(said)
    page.get_by_role("button", name="Walk").click()
    page.keyboard.press("m")
    expect(page.locator(".meter")).to_be_hidden()


def test_a_second_tab_is_not_disturbed(
    page: Page, open_page: Callable[..., Page], app_url: str, canvas_pixels: Read
) -> None:
    visit(page, open_page)
    other = page.context.new_page()
    other.goto(f"{app_url}/latent-space", wait_until="domcontentloaded")
    wait_for_picture(other)
    before, z = canvas_pixels(other, PICTURE), present_z(other)
    page.bring_to_front()
    link = page.url
    page.get_by_role("button", name="Random").click()
    told(page, link)
    assert (canvas_pixels(page, PICTURE) != before).any()
    other.bring_to_front()
    other.wait_for_timeout(300)
    assert (canvas_pixels(other, PICTURE) == before).all()
    assert (present_z(other) == z).all()


def test_the_link_brings_z_back(
    page: Page, open_page: Callable[..., Page], settle: Callable[..., None], app_url: str
) -> None:
    visit(page, open_page)
    before = page.url
    page.get_by_role("button", name="Random").click()
    told(page, before)
    settle(page)
    z, link = present_z(page), page.url
    page.goto(link, wait_until="domcontentloaded")
    wait_for_picture(page)
    assert np.abs(present_z(page) - z).max() <= 0.0051


def test_a_rare_draw_ends_where_the_sliders_do(
    page: Page, open_page: Callable[..., Page], canvas_pixels: Read, shipped: Path
) -> None:
    """Of twenty numbers of N(0, 1), one in twenty times one is beyond 3."""
    model = shipped_model(shipped, "vae-20")
    visit(page, open_page)
    link = page.url
    page.evaluate("Math.random = () => 1 - 1e-9")
    page.get_by_role("button", name="Random").click()
    told(page, link)
    z = present_z(page)
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(z)[None])[0, 0].numpy() * 255
    assert (z >= 3).all()
    until(
        page,
        lambda: np.abs(canvas_pixels(page, PICTURE)[..., 0] - expected).max() <= 1,
        "the picture is of another z than the sliders show",
    )


def test_the_server_path_gives_the_same_picture(
    page: Page,
    open_page: Callable[..., Page],
    settle: Callable[..., None],
    canvas_pixels: Read,
    shipped: Path,
) -> None:
    model = shipped_model(shipped, "vae-20")
    visit(page, open_page)
    link = page.url
    page.get_by_role("button", name="Random").click()
    told(page, link)
    settle(page)
    here = canvas_pixels(page, PICTURE).astype(int)

    def off() -> float:
        """By how much the picture differs from what the model makes of the sliders' z."""
        with torch.no_grad():
            expected = model.decode(torch.from_numpy(present_z(page))[None])[0, 0].numpy() * 255
        return float(np.abs(canvas_pixels(page, PICTURE)[..., 0] - expected).max())

    until(page, lambda: off() <= 1, "the browser's picture is another one")
    page.get_by_role("radio", name="Server").click()
    expect(page.locator(".latent-pad .path")).to_have_text("decoded on the server")
    settle(page)
    until(page, lambda: off() <= 1, "the server's picture is another one")
    first_slider(page).focus()
    way = "ArrowLeft" if float(first_slider(page).input_value()) > 0 else "ArrowRight"
    for _ in range(25):  # to where there is room: the draw may be at an end
        page.keyboard.press(way)
    painted(page)
    until(page, lambda: off() <= 1, "the server's picture does not follow")
    assert np.abs(canvas_pixels(page, PICTURE).astype(int) - here).max() > 20


def test_the_walk_between_two_digits_moves_both_pictures(
    page: Page, open_page: Callable[..., Page], settle: Callable[..., None], canvas_pixels: Read
) -> None:
    visit(page, open_page)
    page.get_by_role("radio", name="Between two digits").click()
    settle(page)

    def pictures() -> list[np.ndarray]:
        both = (canvas_pixels(page, f"canvas.now.{kind}") for kind in ("pixels", "latents"))
        return [picture.astype(int) for picture in both]

    page.locator("canvas.now.latents").wait_for()
    until(page, lambda: all(p[..., 3].all() for p in pictures()), "a picture is not painted")
    before = pictures()
    page.get_by_role("button", name="Play").click()
    until(
        page,
        lambda: all(
            np.abs(new - old).max() > 20 for old, new in zip(before, pictures(), strict=True)
        ),
        "a picture does not move",
    )


@pytest.mark.parametrize(
    ("view", "name", "default"),
    [("Between two digits", "between", 0.5), ("Class arithmetic", "means", 1.0)],
)
def test_the_link_says_where_the_walk_is(
    open_page: Callable[..., Page], view: str, name: str, default: float
) -> None:
    parameter = f"latent_space.{name}.t"
    page = open_page(f"latent-space?latent_space.view={quote(view)}&{parameter}=0.8")
    output = page.locator(".latent-walk output")
    expect(output).to_have_text("t = 0.80")
    slider = page.get_by_role("slider", name="Amount")
    for t in (0.3, default):
        slider.fill(f"{t}")
        expect(output).to_have_text(f"t = {t:.2f}")
        linked = [f"{t:.3f}"] if t != default else []
        until(
            page,
            lambda linked=linked: parse_qs(urlsplit(page.url).query).get(parameter, []) == linked,
            f"the link does not say {linked}",
        )


def test_files_to_take_away(
    page: Page, open_page: Callable[..., Page], settle: Callable[..., None], tmp_path: Path
) -> None:
    from PIL import Image, ImageSequence

    visit(page, open_page)
    page.get_by_role("radio", name="Export").click()
    settle(page)
    files = {}
    for name in ("Picture (PNG)", "Walk (GIF)", "Explorer (HTML)"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        files[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[name])
    assert Image.open(files["Picture (PNG)"]).size == (448, 448)
    frames = [
        np.asarray(frame.convert("L"))
        for frame in ImageSequence.Iterator(Image.open(files["Walk (GIF)"]))
    ]
    assert len(frames) > 40 and (frames[0] != frames[10]).any()
    html = files["Explorer (HTML)"].read_text(encoding="utf-8")
    assert "compileDecoder" in html and "http://" not in html and "https://" not in html


def test_the_page_to_take_away_works_without_a_server(
    page: Page, shipped: Path, tmp_path: Path, canvas_pixels: Read
) -> None:
    from genlib.ui.latents.latent_space.data import space
    from genlib.ui.latents.latent_space.panels import explorer_html

    model = shipped_model(shipped, "vae-20")
    info = checkpoint.peek(shipped / "vae-20.safetensors")
    z = np.random.default_rng(3).standard_normal(20).astype(np.float32)
    file = tmp_path / "explorer.html"
    file.write_text(explorer_html(space(info), z), encoding="utf-8")
    page.context.set_offline(True)
    page.goto(file.as_uri())
    wait_for_picture(page)
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(z)[None])[0, 0].numpy() * 255
    assert np.abs(canvas_pixels(page, PICTURE)[..., 0] - expected).max() <= 1.0
    before = canvas_pixels(page, PICTURE)
    page.get_by_role("button", name="Random").click()
    painted(page)
    assert (canvas_pixels(page, PICTURE) != before).any()


@pytest.mark.parametrize("name", ["vae-2", "vae-20"])
def test_the_exported_page_shows_picture_plane_and_sliders_in_one_screen(
    page: Page, shipped: Path, tmp_path: Path, name: str
) -> None:
    from genlib.ui.latents.latent_space.data import space
    from genlib.ui.latents.latent_space.panels import explorer_html

    model = shipped_model(shipped, name)
    info = checkpoint.peek(shipped / f"{name}.safetensors")
    file = tmp_path / "explorer.html"
    z = np.zeros(int(str(model.config.to_dict()["latent_dim"])), np.float32)
    file.write_text(explorer_html(space(info), z), encoding="utf-8")
    for width, height in ((1000, 700), (1280, 720), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(file.as_uri())
        wait_for_picture(page)
        for part in (PICTURE, "canvas.pad", ".bank"):
            box = page.locator(part).bounding_box()
            assert box is not None and box["height"] > 50
            assert box["y"] >= 0 and box["y"] + box["height"] <= height, f"{part}, {width} px"
            assert box["x"] >= 0 and box["x"] + box["width"] <= width, f"{part}, {width} px"
