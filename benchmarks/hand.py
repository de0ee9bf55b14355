"""A hand with a stopwatch: drags a slider in a real browser and measures what it sees."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass

from playwright.sync_api import Page

# Before each move, so that no picture of the last one is still under way.
QUIET_MS = 300

# Notes when the mouse moved or let go, and when a picture that differs from the last one was there.
WATCH = """(() => {
    const seen = (window.seen = { events: [], pictures: [] })
    const note = (event) => seen.events.push(event.timeStamp)
    for (const kind of ["pointermove", "pointerup"]) addEventListener(kind, note, true)
    let last = 0
    const put = CanvasRenderingContext2D.prototype.putImageData
    CanvasRenderingContext2D.prototype.putImageData = function (image, ...rest) {
        put.call(this, image, ...rest)
        if (!this.canvas.classList.contains("picture")) return
        let sum = 0
        for (let i = 0; i < image.data.length; i += 4) sum = (sum * 31 + image.data[i]) | 0
        if (sum !== last) seen.pictures.push(performance.now())
        last = sum
    }
    document.addEventListener("load", (event) => {
        if (event.target.tagName === "IMG") seen.pictures.push(performance.now())
    }, true)
})()"""


@dataclass(frozen=True)
class Felt:
    """What the hand feels: ms from event to pixels, and pictures a second in a drag."""

    p50: float
    p95: float
    frames: float

    def __str__(self) -> str:
        return f"p50 {self.p50:7.1f} ms   p95 {self.p95:7.1f} ms   {self.frames:5.1f} frames/s"


@dataclass(frozen=True)
class Handle:
    """Where to hold the slider: its row in page pixels, and whether it sends only on release."""

    left: float
    width: float
    y: float
    on_release: bool

    def x(self, t: float) -> float:
        return self.left + self.width * (0.5 + 0.4 * math.sin(t))


def feel(page: Page, handle: Handle, moves: int, seconds: float) -> Felt:
    """Move and wait `moves` times, then drag for `seconds` without waiting."""
    waits = [wait for k in range(moves) if (wait := one_move(page, handle, k * 0.37)) is not None]
    if len(waits) < moves * 0.8:
        raise SystemExit(f"only {len(waits)} of {moves} moves changed the picture")
    return Felt(statistics.median(waits), quantile(waits, 0.95), drag(page, handle, seconds))


def one_move(page: Page, handle: Handle, t: float) -> float | None:
    """ms from one event to the first new picture after it; None if none came in 3 s."""
    if handle.on_release or t == 0:
        page.mouse.move(handle.x(t - 0.37), handle.y)
        page.mouse.down()
        page.wait_for_timeout(100)
    page.wait_for_timeout(QUIET_MS)
    page.evaluate("seen.events.length = seen.pictures.length = 0")
    page.mouse.move(handle.x(t), handle.y)
    if handle.on_release:
        page.evaluate("seen.events.length = seen.pictures.length = 0")
        page.mouse.up()
    for _ in range(150):
        page.wait_for_timeout(20)
        seen = page.evaluate("seen")
        if not seen["events"]:
            continue
        begin = float(seen["events"][0])
        later = [float(at) - begin for at in seen["pictures"] if at > begin]
        if later:
            return later[0]
    return None


def drag(page: Page, handle: Handle, seconds: float) -> float:
    """Pictures a second while the mouse goes to and fro."""
    page.mouse.move(handle.x(0), handle.y)
    page.mouse.down()
    page.evaluate("seen.events.length = seen.pictures.length = 0")
    begin = time.perf_counter()
    while (now := time.perf_counter() - begin) < seconds:
        page.mouse.move(handle.x(6 * now), handle.y)
    shown = len(page.evaluate("seen.pictures"))
    page.mouse.up()
    return shown / now


def quantile(values: list[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, math.ceil(q * len(values)) - 1)]


def latent_handle(page: Page) -> Handle:
    box = page.locator(".latent-pad .rows input").first.bounding_box()
    assert box is not None
    return Handle(box["x"], box["width"], box["y"] + box["height"] / 2, on_release=False)


def stock_handle(page: Page) -> Handle:
    thumb = page.locator("[data-testid=stSliderThumbValue]").locator("..").first.bounding_box()
    track = page.locator("[data-testid=stSlider]").first.bounding_box()
    assert thumb is not None and track is not None
    middle = thumb["y"] + thumb["height"] / 2
    return Handle(track["x"], track["width"], middle, on_release=True)
