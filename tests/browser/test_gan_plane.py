"""GAN in the plane: it trains in the browser, and its link opens the same state."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, WebSocket, expect

from genlib.ui.kit import standalone
from genlib.ui.kit.web import module_url
from tests.browser.touching import swipe
from tests.browser.waiting import until

Read = Callable[[Page, str], NDArray[np.uint8]]


def fact(page: Page, name: str) -> str:
    """What the component last drew: step, log, busy."""
    return page.locator(".gan-plane").get_attribute(f"data-{name}") or ""


def wait_for_step(page: Page, least: int) -> None:
    until(page, lambda: int(fact(page, "step") or -1) >= least, f"step {least} never came")


def open_file(page: Page, folder: Path, state: str = "") -> None:
    """Open the page as one file, from a disk, in the state that its link gives."""
    data = {"worker": module_url("gan_plane/worker.js")}
    file = folder / "plane.html"
    file.write_text(standalone.page("gan_plane", "GAN", "A GAN.", data), encoding="utf-8")
    page.goto(file.as_uri() + state)


def test_it_trains_without_the_server_and_its_link_opens_the_same_state(
    page: Page, open_page: Callable[..., Page], settle: Callable[..., None], canvas_pixels: Read
) -> None:
    sent: list[object] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda data: sent.append(data))

    page.on("websocket", listen)
    workers: list[str] = []
    page.on("worker", lambda worker: workers.append(worker.url))
    open_page("gan-plane?gan_plane.batch=16")
    wait_for_step(page, 0)
    settle(page)
    first = canvas_pixels(page, ".gan-plane canvas")
    sent.clear()
    page.get_by_role("button", name="Play", exact=True).click()
    wait_for_step(page, 60)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Step D").click()
    page.wait_for_function("/gan_plane.log=\\d+b(~|%7E)1d/.test(location.search)")
    assert workers and not sent, "only the browser works"
    trained = canvas_pixels(page, ".gan-plane canvas")
    assert (trained != first).any()
    log = page.evaluate("new URLSearchParams(location.search).get('gan_plane.log')")
    page.reload()
    until(page, lambda: fact(page, "log") == log, "the link opened another state")
    page.get_by_role("button", name="Rewind").click()
    until(page, lambda: fact(page, "step") == "0", "it did not go back")
    page.wait_for_function("!location.search.includes('log')")
    page.wait_for_function("location.search.includes('batch=16')")


def test_a_lesson_moves_the_page_to_its_state(open_page: Callable[..., Page]) -> None:
    page = open_page("gan-plane?lesson=eight")
    page.get_by_role("button", name="All eight").click()
    expect(page.locator(".lesson .explanation")).to_have_text(re.compile("trains until|G bends"))
    until(page, lambda: fact(page, "log") == "2000b", "the page did not train to the state")
    expect(page.get_by_text("G bends the plane until")).to_be_visible()
    expect(page.locator(".gan-plane .replay")).to_be_hidden()
    expect(page.locator(".gan-plane .covered")).to_have_text("8 of 8")


@pytest.mark.no_policy
def test_a_long_replay_says_how_far_it_is(page: Page, tmp_path: Path) -> None:
    open_file(page, tmp_path, "#gan_plane.log=900000b")
    said = page.locator(".gan-plane .replay")
    expect(said).to_have_text(re.compile(r"^Replaying … step [\d,]+ of 900,000$"))
    expect(said).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Rewind").click()
    expect(said).to_be_hidden()


def test_points_come_from_a_file_or_the_hand(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page("gan-plane")
    file = page.locator(".gan-plane input[type=file]")
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text("x,y\n1,2\nthree,4\n5,6\n")
    good.write_text("x,y\n" + "\n".join(f"{i},{i * i}" for i in range(40)))
    file.set_input_files(bad)
    expect(page.get_by_role("alert").filter(has_text="Line 3")).to_be_visible()
    file.set_input_files(good)
    expect(page.get_by_text("40 of 40 points of the file")).to_be_visible()
    page.wait_for_url("**gan_plane.points=*")
    kept = page.url
    for text, said in (("Just some words.\n", "Line 1"), ("1,2\n3,1e300\n5,6\n7,8\n", "Line 2")):
        bad.write_text(text)
        file.set_input_files(bad)
        problem = page.get_by_role("alert").filter(has_text=said)
        expect(problem).to_be_in_viewport(ratio=1)
        expect(page.get_by_text("40 of 40 points of the file")).to_be_hidden()
        assert page.url == kept, "the points are lost"
    page.get_by_role("button", name="Clear points").click()
    expect(page.get_by_text("Draw on the picture")).to_be_visible()
    box = page.locator(".gan-plane canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"], steps=6)
    page.mouse.up()
    page.wait_for_function("/gan_plane.points=[\\w-]{8}/.test(location.search)")


@pytest.mark.no_policy
def test_as_a_file_it_needs_no_server(page: Page, tmp_path: Path) -> None:
    workers: list[str] = []
    page.on("worker", lambda worker: workers.append(worker.url))
    open_file(page, tmp_path)
    page.get_by_role("button", name="Play", exact=True).click()
    wait_for_step(page, 30)
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function("location.hash.includes('gan_plane.log')")
    assert workers, "it trains in a worker"


@pytest.mark.parametrize(
    ("width", "height", "least"),
    [(390, 844, 300), (412, 915, 320), (600, 900, 460), (844, 390, 230), (1280, 720, 400)],
)
@pytest.mark.no_policy
def test_the_picture_is_large_on_every_screen(
    page: Page, tmp_path: Path, width: int, height: int, least: int
) -> None:
    """least: pixels of the picture's side."""
    page.set_viewport_size({"width": width, "height": height})
    open_file(page, tmp_path)
    wait_for_step(page, 0)
    box = page.locator(".gan-plane canvas").bounding_box()
    assert box is not None
    assert box["width"] >= least and abs(box["width"] - box["height"]) < 2, box
    assert box["y"] + box["height"] <= height, f"{box} is cut"
    for value in page.locator(".gan-plane dd").all():
        lines = value.evaluate(
            "(dd) => dd.clientHeight / parseFloat(getComputedStyle(dd).lineHeight)"
        )
        assert lines < 1.5, "a number breaks"


def test_on_a_phone_the_picture_fills_the_page(open_page: Callable[..., Page]) -> None:
    page = open_page("gan-plane", width=390, height=844)
    wait_for_step(page, 0)
    box = page.locator(".gan-plane canvas").bounding_box()
    assert box is not None and box["width"] >= 300, box


ENDS = """(svg) => {
    const last = (line) => Number(line.getAttribute("points").split(" ").at(-1).split(",")[1])
    const height = (mark) => Number(mark.getAttribute("d").split(/[ H]/)[1])
    const [d, g] = [...svg.querySelectorAll("polyline")].map(last)
    return {d, g, marks: [...svg.querySelectorAll(".mark")].map(height)}
}"""


def test_under_minimax_the_number_and_the_curve_of_g_agree(open_page: Callable[..., Page]) -> None:
    page = open_page("gan-plane?gan_plane.loss=minimax&gan_plane.log=400b")
    chart = page.locator(".gan-plane svg.losses")
    until(page, lambda: fact(page, "log") == "400b", "the page did not train to the state")
    expect(chart).to_contain_text("G's −0.")
    at = chart.evaluate(ENDS)  # pixels from the top: D pays log 4, G −log 2
    assert abs(at["d"] - at["marks"][0]) < 8 and abs(at["g"] - at["marks"][1]) < 8, at


CUT = """(select) => {
    const text = document.createElement("span")
    text.textContent = select.selectedOptions[0].textContent
    text.style.font = getComputedStyle(select).font
    text.style.position = "absolute"
    select.parentElement.append(text)
    const room = select.clientWidth - 24 // for the arrow
    const cut = text.offsetWidth > room ? `${text.textContent}: ${text.offsetWidth} > ${room}` : ""
    text.remove()
    return cut
}"""


def test_with_a_lesson_open_the_whole_picture_and_whole_words_are_in_sight(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("gan-plane?lesson=eight&answer=2", width=1280, height=720)
    expect(page.get_by_text("G bends the plane until")).to_be_visible()
    wait_for_step(page, 0)
    expect(page.locator(".gan-plane canvas")).to_be_in_viewport(ratio=1)
    for name in ("data", "loss"):
        assert not page.locator(f".gan-plane select[name={name}]").evaluate(CUT)


def test_points_are_drawn_by_touch(open_page: Callable[..., Page]) -> None:
    page = open_page("gan-plane?gan_plane.data=your%20points", width=390, height=844)
    wait_for_step(page, 0)
    box = page.locator(".gan-plane canvas").bounding_box()
    assert box is not None
    top = page.evaluate("scrollY")
    middle, across = box["y"] + box["height"] / 2, box["width"]
    swipe(page, (box["x"] + 0.2 * across, middle), (box["x"] + 0.8 * across, middle + 20))
    page.wait_for_function("/gan_plane.points=[\\w-]{12}/.test(location.search)")  # three or more
    assert page.evaluate("scrollY") == top, "the page scrolled instead"
