"""What a page shows in every frame: to tell whether something flickers or jumps while it changes.

    film = record(page)          # from now on, one note per animation frame
    ...                          # change the view
    frames = film.stop()         # [Frame(top, height, shows, scrolled, ...), ...]

All frames count, however few or many a busy machine draws: a stage that is empty for one frame, or
that jumps and comes back, is found wherever the browser drew that frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

# A stage shows a picture, or so many letters that they stand for one.
RECORD = """() => {
    const PICTURE = "canvas, img, svg, table, .main-svg, .vega-embed, .tree, .versus, .pt, .dots"
    const LETTERS = 40, SIDE = 30
    const app = document.querySelector("[data-testid=stApp]")
    const painted = (root) => [...root.querySelectorAll("*")].some((e) => {
        if (e.matches(PICTURE)) {
            const {width, height} = e.getBoundingClientRect()
            if (width >= SIDE && height >= SIDE && e.checkVisibility()) return true
        }
        return e.shadowRoot && painted(e.shadowRoot)
    })
    const main = document.querySelector("[data-testid=stMain]")
    const frames = []
    let going = true
    // Observers of sizes are told after all that an animation frame runs, and before it is drawn.
    const probe = document.body.appendChild(document.createElement("div"))
    probe.style.cssText = "position: fixed; left: -9px; height: 1px; width: 1px"
    const next = () => { probe.style.width = probe.style.width === "1px" ? "2px" : "1px" }
    const look = () => {
        const stage = document.querySelector(".st-key-stage")
        const box = stage?.getBoundingClientRect()
        const empty = !stage || box.height < 1
        frames.push({
            at: performance.now(),
            top: empty ? -1 : box.top + main.scrollTop,
            height: empty ? 0 : box.height,
            shows: !empty && (painted(stage) || stage.innerText.length >= LETTERS),
            runs: app.dataset.testScriptState !== "notRunning",
            scrolled: main.scrollTop,
            room: main.scrollHeight - main.clientHeight,
        })
        if (going) requestAnimationFrame(next)
    }
    new ResizeObserver(look).observe(probe)
    window.genlibFrames = () => { going = false; probe.remove(); return frames }
}"""


@dataclass(frozen=True)
class Frame:
    """One frame. at: ms. top, height: of the stage on the page, in px; -1 and 0 where there is
    none. shows: whether a picture is in it. runs: whether a script does. scrolled, room: of the
    page, in px."""

    at: float
    top: float
    height: float
    shows: bool
    runs: bool
    scrolled: float
    room: float


class Film:
    """Frames that are being recorded."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.evaluate(RECORD)

    def stop(self) -> list[Frame]:
        return [Frame(**frame) for frame in self.page.evaluate("window.genlibFrames()")]
