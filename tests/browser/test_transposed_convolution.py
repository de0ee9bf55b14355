"""Transposed convolution in a real browser: its numbers, its hands, its link, its file."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from genlib.export.network import run
from genlib.ui.foundations.transposed_convolution import as_file, decoders
from tests.browser.waiting import PATIENCE, painted, until
from tests.foundations import transposed

ADDRESS = "transposed-convolution"
MODULES = "/_stcore/bidi-components/genlib.transposed_convolution/transposed_convolution"
COMPARE = """async ([address, cases]) => {
    const { matrix, overlap, slide, stamp, upsampled } = await import(address)
    const off = (a, b) => a.length === b.length
        ? a.reduce((worst, v, q) => Math.max(worst, Math.abs(v - b[q])), 0) : Infinity
    const product = (cells, x, w, y) => y.map((_, o) => x.reduce((sum, v, i) => {
        const t = cells[o * x.length + i]
        return t < 0 ? sum : sum + v * w[t]
    }, 0))
    return cases.map(({ setting, x, w, y, overlap: counts, upsampled: large }) => Math.max(
        off(stamp(setting, x, w), y), off(slide(setting, x, w), y),
        off(product(matrix(setting), x, w, y), y), off(overlap(setting), counts),
        off(upsampled(setting, x, w).y, large)))
}"""


def link(page: Page) -> dict[str, str]:
    """The component's part of the address."""
    found = parse_qs(urlsplit(page.url).query)
    return {key.removeprefix("tconv."): value[0] for key, value in found.items()}


def hover_cell(canvas: Locator, row: int, column: int, side: int) -> None:
    """Point at the middle of a cell of a square grid."""
    box = canvas.bounding_box()
    assert box
    cell = box["width"] / side
    canvas.hover(position={"x": (column + 0.5) * cell, "y": (row + 0.5) * cell})


def click_cell(canvas: Locator, row: int, column: int, side: int) -> None:
    """Click the middle of a cell of a square grid."""
    box = canvas.bounding_box()
    assert box
    cell = box["width"] / side
    canvas.click(position={"x": (column + 0.5) * cell, "y": (row + 0.5) * cell})


def goes_to(page: Page, **wanted: str) -> None:
    """Wait until the address names these values."""
    until(page, lambda: wanted.items() <= link(page).items(), f"the link is {page.url}")


@pytest.mark.usefixtures("shipped")
def test_500_settings_are_pytorch_s_in_the_browser(open_page: Callable[..., Page]) -> None:
    page = open_page(ADDRESS)
    cases = transposed.cases()
    worst = page.evaluate(COMPARE, [f"{MODULES}/operation.js", cases])
    print(f"{len(worst)} settings, largest difference {max(worst):.2g}")
    assert len(worst) == 500 and max(worst) < 1e-9


@pytest.mark.usefixtures("shipped")
def test_point_pin_paint_type_and_play_without_the_server(
    page: Page, open_page: Callable[..., Page], canvas_pixels: Callable[..., np.ndarray]
) -> None:
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page = open_page(ADDRESS, width=1280, height=720)
    expect(page.locator(".sum")).to_have_text("y[1, 1] = 1·1 + 2·2 + 3·0 + 4·1 = 9")
    assert sent, "the page came through it"
    sent.clear()
    click_cell(page.locator("canvas.output"), 2, 1, 4)  # pin
    expect(page.locator(".sum")).to_have_text("y[2, 1] = 1·3 + 2·0 + 3·1 + 4·2 = 14")
    goes_to(page, pin="o9")
    click_cell(page.locator("canvas.input"), 0, 1, 2)  # paint
    expect(page.locator(".sum")).to_contain_text("x[0, 1] = 1 stamps")
    goes_to(page, x="1 1 3 4")
    page.locator("canvas.input").focus()  # type
    page.keyboard.press("ArrowDown")
    page.keyboard.type("12")
    goes_to(page, x="1 1 3 12")
    page.keyboard.press("-")
    goes_to(page, x="1 1 3 -12")
    page.get_by_role("button", name="Undo").click()
    goes_to(page, x="1 1 3 12")
    before = canvas_pixels(page, "canvas.output")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(has_step("1/4"))
    page.wait_for_function(has_step("4/4"))
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.mouse.move(5, 5)
    painted(page)
    assert (canvas_pixels(page, "canvas.output") == before).mean() > 0.9, "all stamps: as before"
    assert not sent, "nothing of this is the server's business"


def has_step(step: str) -> str:
    """A condition in JavaScript: so many steps are done."""
    return f"""() => {{
        const hosts = [...document.querySelectorAll("*")].filter((e) => e.shadowRoot)
        const root = hosts.map((e) => e.shadowRoot.querySelector(".tconv")).find(Boolean)
        return root?.dataset.step === "{step}"
    }}"""


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("source", "others"),
    [
        ("canvas.input", ("canvas.output", "canvas.wide", "canvas.entries")),
        ("canvas.output", ("canvas.input", "canvas.wide", "canvas.entries")),
        ("canvas.wide", ("canvas.input", "canvas.output", "canvas.entries")),
        ("canvas.entries", ("canvas.input", "canvas.kernel", "canvas.output", "canvas.wide")),
        ("canvas.kernel", ("canvas.turned", "canvas.output", "canvas.entries")),
    ],
)
def test_a_cell_is_marked_in_all_views(
    source: str,
    others: tuple[str, ...],
    open_page: Callable[..., Page],
    canvas_pixels: Callable[..., np.ndarray],
) -> None:
    page = open_page(f"{ADDRESS}?tconv.pin=none&tconv.n=3", width=1280, height=720)
    before = {name: canvas_pixels(page, name) for name in others}
    box = page.locator(source).bounding_box()
    assert box
    part = 0.02 if source == "canvas.entries" else 0.45  # an entry that isn't 0
    page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * part)
    painted(page)
    for name in others:
        assert (canvas_pixels(page, name) != before[name]).any(), f"{source} marks nothing: {name}"


@pytest.mark.usefixtures("shipped")
def test_only_valid_settings_are_offered(open_page: Callable[..., Page]) -> None:
    page = open_page(f"{ADDRESS}?tconv.n=2&tconv.k=2&tconv.s=2&tconv.p=1", width=1280, height=720)

    def button(label: str) -> Locator:
        return page.get_by_role("button", name=label, exact=True)

    expect(button("Padding: more")).to_be_disabled()  # 2 x 2: another ring would leave nothing
    expect(button("Output padding: less")).to_be_disabled()
    button("Output padding: more").click()
    expect(button("Output padding: more")).to_be_disabled()  # below the stride
    goes_to(page, e="1")
    button("Stride: less").click()  # no output padding without a stride
    until(page, lambda: not {"e", "s"} & link(page).keys(), "stride 1 keeps its output padding")
    expect(page.locator(".code code")).to_have_text(
        "y = F.conv_transpose2d(x, w, stride=1, padding=1)"
    )


@pytest.mark.usefixtures("shipped")
def test_the_copied_script_prints_what_is_shown(open_page: Callable[..., Page]) -> None:
    page = open_page(f"{ADDRESS}?tconv.s=2&tconv.p=1&tconv.e=1&tconv.pin=o6", width=1280)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy", exact=True).click()
    line = "y = F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1)"
    until(page, lambda: page.evaluate("navigator.clipboard.readText()") == line, "not copied")
    page.get_by_role("button", name="Copy with the numbers").click()
    until(page, lambda: "import torch" in page.evaluate("navigator.clipboard.readText()"), "no")
    said = io.StringIO()
    script = page.evaluate("navigator.clipboard.readText()")
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(said):
        exec(script, names)  # our own script, as a reader would run it
    y = np.asarray(names["y"])[0, 0]
    shown = re.search(r"= (−?\d+)$", page.locator(".sum").inner_text())
    assert y.shape == (4, 4) and shown and "tensor" in said.getvalue()
    assert float(shown[1].replace("−", "-")) == y[1, 2]


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", ["conv-vae-20", "dcgan-28"])
def test_a_real_layer_ends_in_the_model_s_image(
    name: str, open_page: Callable[..., Page], canvas_pixels: Callable[..., np.ndarray]
) -> None:
    page = open_page(f"{ADDRESS}?tconv.view=layer&tconv.model={name}&tconv.seed=3&tconv.op=0")
    exported = decoders()[name]
    z = page.evaluate(
        """async ([address, count]) =>
            Array.from((await import(address)).gaussians(3, count))""",
        [f"{MODULES}/layer.js", exported.latent_dim],
    )
    expected = run(exported, np.asarray([z], np.float32))[0, 0]
    expect(page.locator(".chain button")).to_have_count(len(exported.ops))
    until(page, lambda: canvas_pixels(page, "canvas.image").shape[0] == 28, "no image")
    found = canvas_pixels(page, "canvas.image")[..., 0] / 255
    assert expected.std() > 0.1 and np.abs(found - expected).max() < 0.01
    steps = sum(op["shape"][0] if "conv" in op["op"] else 1 for op in exported.ops)
    page.locator(".scrub").fill(str(steps - 1))
    goes_to(page, op=str(len(exported.ops) - 1))


@pytest.mark.usefixtures("shipped")
def test_a_map_and_its_kernel_open_in_the_three_views(open_page: Callable[..., Page]) -> None:
    page = open_page(f"{ADDRESS}?tconv.view=layer&tconv.map=2&tconv.sum=5", width=1280)
    page.get_by_role("button", name="Open map 5 and this kernel").click()
    goes_to(page, n="7", k="4", s="2", p="1")
    expect(page.locator(".output-name")).to_have_text("output 14 × 14")
    exported = decoders()["conv-vae-20"]
    op = exported.ops[3]
    first, count = op["weight"]
    weight = exported.numbers[first : first + count].reshape(32, 16, 4, 4)
    w = [float(v) for v in link(page)["w"].split()]
    assert np.abs(np.reshape(w, (4, 4)) - weight[4, 2]).max() <= 0.0051  # two decimals


@pytest.mark.usefixtures("shipped")
def test_a_lesson_moves_the_component_and_back_asks_again(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(ADDRESS, width=1280, height=720)
    page.get_by_text("Try this").click()
    page.get_by_role("button", name="Ones in, and what comes out?").click()
    expect(page.locator(".question")).to_contain_text("every kernel cell is 1")
    page.wait_for_function(has_step("0/16"))
    for cell in range(16):  # "Every input cell is 1", it says: all of them on the screen are
        hover_cell(page.locator("canvas.input"), *divmod(cell, 4), 4)
        expect(page.locator(".sum")).to_contain_text(f"x[{cell // 4}, {cell % 4}] = 1 stamps 1")
    page.get_by_role("button", name="A checkerboard of 1, 2 and 4").click()
    expect(page.locator(".way .says").first).to_contain_text("1 to 4 stamps: uneven")
    expect(page.locator(".way .says").last).to_contain_text("9 products each: even")
    page.go_back()
    page.wait_for_function(has_step("0/16"))
    expect(page.locator(".explanation")).to_be_hidden()


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    "query", ["tconv.pin=none", "tconv.pin=o5&answer=2"], ids=["asked", "answered"]
)
def test_with_a_lesson_open_the_output_is_in_sight(
    query: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{ADDRESS}?lesson=middle&{query}", width=1280, height=720)
    expect(page.locator(".question")).to_contain_text("y[1, 1]")
    canvases = page.locator("canvas.output, canvas.again, canvas.entries")

    expect(canvases).to_have_count(3)
    expect(canvases.last).to_be_visible()
    ends = "all => Math.max(...all.map(one => one.getBoundingClientRect().bottom))"
    until(page, lambda: canvases.evaluate_all(ends) <= 720, "the output is cut off")
    top, first = page.locator(".lines .sum").bounding_box(), canvases.first.bounding_box()
    assert top and first and top["y"] < first["y"], "the sum stands above the pictures, as is said"


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("view", ["all", "checkerboard", "layer"])
def test_presented_it_fits_itself_to_the_window(view: str, open_page: Callable[..., Page]) -> None:
    query = f"present=1&tconv.view={view}&tconv.n=4&tconv.s=2&tconv.at=3"
    page = open_page(f"{ADDRESS}?{query}", width=1280, height=720)
    page.wait_for_function("window.genlibPresents")
    stage = page.locator(".st-key-stage")
    expect(page.locator(".tconv")).to_have_class(re.compile("presented"))
    expect(page.locator(".steppers")).to_be_hidden()
    fits = """(stage) => stage.getBoundingClientRect().bottom <= innerHeight
        && stage.scrollWidth <= stage.clientWidth && !(stage.style.zoom > 1)"""
    until(page, lambda: bool(stage.evaluate(fits)), "it is larger than the window")
    if view == "all":
        page.wait_for_function(has_step("3/16"))
        page.keyboard.press("ArrowRight")  # nothing has the focus: the slider takes it
        page.wait_for_function(has_step("4/16"))


@pytest.mark.usefixtures("shipped")
def test_a_finger_pins_and_paints(browser: Browser, app_url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    try:
        page.goto(f"{app_url}/{ADDRESS}", wait_until="domcontentloaded")
        expect(page.locator(".sum")).to_have_text(re.compile("= 9$"))
        for name, side, wanted in (("input", 2, {"x": "1 2 3 1"}), ("output", 4, {"pin": "o15"})):
            box = page.locator(f"canvas.{name}").bounding_box()
            assert box
            cell = box["width"] / side
            page.touchscreen.tap(
                box["x"] + box["width"] - cell / 2, box["y"] + box["height"] - cell / 2
            )
            goes_to(page, **wanted)
        expect(page.locator(".panel:visible")).to_have_count(1)
    finally:
        context.close()


@pytest.mark.usefixtures("shipped")
def test_the_file_runs_without_a_server(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "transposed-convolution.html"
    file.write_text(as_file(decoders()), encoding="utf-8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    expect(page.locator(".sum")).to_have_text(re.compile("= 9$"))
    click_cell(page.locator("canvas.output"), 0, 0, 4)
    expect(page.locator(".sum")).to_have_text("y[0, 0] = 1·1 = 1")
    until(page, lambda: "tconv.pin=o0" in page.url, "the state isn't in the address")
    page.reload()
    expect(page.locator(".sum")).to_have_text("y[0, 0] = 1·1 = 1")
    page.get_by_role("tab", name="A real layer").click()
    expect(page.locator(".chain button")).to_have_count(7)
    assert all(url.startswith(("file:", "data:")) for url in asked), asked
    size = len(base64.b64encode(decoders()["dcgan-28"].weights))
    print(json.dumps({"file": file.stat().st_size, "of which dcgan-28": size}))


@pytest.mark.usefixtures("shipped")
def test_the_file_opens_on_the_state_of_the_page(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(ADDRESS)
    click_cell(page.locator("canvas.output"), 0, 0, 4)
    goes_to(page, pin="o0")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="This page as one HTML file").click()
    file = tmp_path / "saved.html"
    waiting.value.save_as(file)
    assert waiting.value.suggested_filename == "transposed-convolution.html"
    page.goto(file.as_uri())
    expect(page.locator(".sum")).to_have_text("y[0, 0] = 1·1 = 1")
    page.goto(f"{file.as_uri()}#tconv.pin=o5")  # an address of its own counts more
    page.reload()
    expect(page.locator(".sum")).to_have_text(re.compile("= 9$"))
