"""The Latent space page in a real browser: pixels under the hand, silence on the wire."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from genlib import checkpoint
from genlib.export import export, run
from genlib.models.base import Decodes
from genlib.ui.components.decoder_store import model_data, source

PICTURE = "canvas.picture"
Read = Callable[..., np.ndarray]


def first_slider(page: Page) -> Locator:
    return page.locator(".latent-pad .rows input[type=range]").first


def wait_for_picture(page: Page) -> None:
    expect(page.locator(".latent-pad .path")).to_have_text(re.compile("^decoded"), timeout=30_000)
    page.wait_for_timeout(400)


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


def sent_frames(page: Page) -> list[object]:
    """Everything that the tab sends to the server from now on; call before opening the page."""
    sent: list[object] = []
    page.on("websocket", lambda ws: ws.on("framesent", lambda payload: sent.append(payload)))
    page.on("request", lambda request: sent.append(request.url))
    return sent


def shipped_model(shipped: Path, name: str) -> Decodes:
    path = shipped / f"{name}.safetensors"
    if not path.is_file():
        pytest.skip(f"{name} is not in checkpoints/")
    model = checkpoint.load(path)
    assert isinstance(model, Decodes)
    return model


def test_a_drag_changes_pixels_and_asks_nothing_of_the_server(
    page: Page,
    open_page: Callable[..., Page],
    settle: Callable[..., None],
    canvas_pixels: Read,
    shipped: Path,
) -> None:
    model = shipped_model(shipped, "vae-20")
    sent = sent_frames(page)
    visit(page, open_page)
    box = first_slider(page).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    settle(page)
    page.wait_for_timeout(400)
    sent.clear()
    seen = []
    for step in range(24):
        share = 0.5 + 0.4 * np.sin(step / 3)
        page.mouse.move(box["x"] + share * box["width"], middle)
        if step % 6 == 5:
            seen.append(canvas_pixels(page, PICTURE))
    while_dragging = list(sent)
    differences = [np.abs(a.astype(int) - b).max() for a, b in pairwise(seen)]
    assert min(differences) > 20, "the picture stood still during the drag"
    assert while_dragging == []
    page.mouse.up()
    page.wait_for_timeout(300)
    settle(page)
    assert sent, "the server was never told where the hand rests"
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(present_z(page))[None])[0, 0].numpy() * 255
    shown = canvas_pixels(page, PICTURE)[..., 0].astype(float)
    assert np.abs(shown - expected).max() <= 1.0
    assert f"vae-20%3A{present_z(page)[0]:.2f}".rstrip("0") in page.url


def test_the_pad_the_keyboard_and_the_buttons_move_z(
    page: Page, open_page: Callable[..., Page], canvas_pixels: Read
) -> None:
    visit(page, open_page)
    start, picture = present_z(page), canvas_pixels(page, PICTURE)
    page.locator("canvas.pad").focus()
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(100)
    moved = present_z(page)
    assert (moved != start).sum() == 1
    assert (canvas_pixels(page, PICTURE) != picture).any()
    first_slider(page).focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Random").click()
    page.wait_for_timeout(100)
    assert (present_z(page) != start).all()
    page.get_by_role("button", name="Reset").click()
    page.wait_for_timeout(100)
    assert np.allclose(present_z(page), start, atol=1e-6)
    assert (canvas_pixels(page, PICTURE) == picture).all()


def test_m_shows_the_measurements(page: Page, open_page: Callable[..., Page]) -> None:
    visit(page, open_page)
    expect(page.locator(".meter")).to_be_hidden()
    page.keyboard.press("m")
    page.get_by_role("button", name="Walk").click()
    expect(page.locator(".meter")).to_contain_text(re.compile(r"ms a frame.*frames/s.*browser.*MB"))
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
    page.get_by_role("button", name="Random").click()
    page.wait_for_timeout(1000)
    assert (canvas_pixels(page, PICTURE) != before).any()
    other.bring_to_front()
    other.wait_for_timeout(300)
    assert (canvas_pixels(other, PICTURE) == before).all()
    assert (present_z(other) == z).all()


def test_the_link_brings_z_back(
    page: Page, open_page: Callable[..., Page], settle: Callable[..., None], app_url: str
) -> None:
    visit(page, open_page)
    page.get_by_role("button", name="Random").click()
    page.wait_for_timeout(600)
    settle(page)
    z, link = present_z(page), page.url
    page.goto(link, wait_until="domcontentloaded")
    wait_for_picture(page)
    assert np.abs(present_z(page) - z).max() <= 0.0051


def test_the_server_path_gives_the_same_picture(
    page: Page, open_page: Callable[..., Page], settle: Callable[..., None], canvas_pixels: Read
) -> None:
    visit(page, open_page)
    page.get_by_role("button", name="Random").click()
    page.wait_for_timeout(600)
    here = canvas_pixels(page, PICTURE)
    page.get_by_role("radio", name="Server").click()
    settle(page)
    expect(page.locator(".latent-pad .path")).to_have_text("decoded on the server")
    page.wait_for_timeout(600)
    assert np.abs(canvas_pixels(page, PICTURE).astype(int) - here).max() <= 1
    first_slider(page).focus()
    for _ in range(25):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1200)
    assert np.abs(canvas_pixels(page, PICTURE).astype(int) - here).max() > 20


def test_the_walk_between_two_digits_moves_both_pictures(
    page: Page, open_page: Callable[..., Page], settle: Callable[..., None], canvas_pixels: Read
) -> None:
    visit(page, open_page)
    page.get_by_role("radio", name="Between two digits").click()
    settle(page)
    page.locator("canvas.now.latents").wait_for()
    page.wait_for_timeout(500)
    before = [canvas_pixels(page, f"canvas.now.{kind}") for kind in ("pixels", "latents")]
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(900)
    after = [canvas_pixels(page, f"canvas.now.{kind}") for kind in ("pixels", "latents")]
    for old, new in zip(before, after, strict=True):
        assert np.abs(new.astype(int) - old).max() > 20


def test_files_to_take_away(
    page: Page, open_page: Callable[..., Page], settle: Callable[..., None], tmp_path: Path
) -> None:
    from PIL import Image, ImageSequence

    visit(page, open_page)
    page.get_by_role("radio", name="Take away").click()
    settle(page)
    files = {}
    for name in ("Picture (PNG)", "Walk (GIF)", "Explorer (HTML)"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        files[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[name])
    assert Image.open(files["Picture (PNG)"]).size == (448, 448)
    frames = [np.asarray(f) for f in ImageSequence.Iterator(Image.open(files["Walk (GIF)"]))]
    assert len(frames) > 40 and (frames[0] != frames[10]).any()
    html = files["Explorer (HTML)"].read_text(encoding="utf-8")
    assert "compileDecoder" in html and "http://" not in html and "https://" not in html


def in_the_browser(page: Page, model: Decodes, z: np.ndarray) -> np.ndarray:
    """Decode z (n, d) with decoder.js in a blank page: (n, H * W * C)."""
    script = base64.b64encode(source("decoder.js").encode()).decode()
    exported = export(model.decoder_layers())
    text = page.evaluate(
        """async ([script, model, weights, z, n]) => {
            const url = "data:text/javascript;base64," + script
            const { compileDecoder, fromText } = await import(url)
            const decoder = compileDecoder(model, fromText(weights))
            const codes = new Float32Array(fromText(z).buffer), d = decoder.latentDim
            const size = model.shape[0] * model.shape[1] * model.shape[2]
            const all = new Float32Array(n * size)
            for (let k = 0; k < n; k++)
                all.set(decoder.decode(codes.subarray(k * d, k * d + d)), k * size)
            const bytes = new Uint8Array(all.buffer)
            let text = ""
            for (let k = 0; k < bytes.length; k += 32768)
                text += String.fromCharCode(...bytes.subarray(k, k + 32768))
            return btoa(text)
        }""",
        [
            script,
            model_data(exported),
            base64.b64encode(exported.weights).decode(),
            base64.b64encode(z.tobytes()).decode(),
            len(z),
        ],
    )  # fmt: skip
    return np.frombuffer(base64.b64decode(text), np.float32).reshape(len(z), -1)


def test_every_shipped_decoder_is_the_same_in_the_browser(page: Page, shipped: Path) -> None:
    worst = {}
    for info in checkpoint.listing(shipped):
        if not {"Decodes"} <= info.capabilities:
            continue
        model = checkpoint.load(info.path)
        assert isinstance(model, Decodes)
        z = np.random.default_rng(0).standard_normal((1000, model.latent_dim)).astype(np.float32)
        with torch.no_grad():
            expected = model.decode(torch.from_numpy(z)).numpy()
        last = expected.transpose(0, 2, 3, 1).reshape(len(z), -1)
        worst[info.name] = float(np.abs(in_the_browser(page, model, z) - last).max())
        reference = run(export(model.decoder_layers()), z)
        assert np.abs(reference - expected).max() <= 1e-4
    assert worst
    print(json.dumps(worst))
    assert max(worst.values()) <= 1 / 255, worst


def test_the_page_to_take_away_works_without_a_server(
    page: Page, shipped: Path, tmp_path: Path, canvas_pixels: Read
) -> None:
    from genlib.ui.latent_space_data import space
    from genlib.ui.latent_space_files import explorer_html

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
    page.wait_for_timeout(200)
    assert (canvas_pixels(page, PICTURE) != before).any()
