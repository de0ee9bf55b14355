"""From the hand to the picture: stock Streamlit slider, our server path, our browser path.

A real Chromium opens each page and drags with the mouse. Two numbers for each way:

- event to pixels: one move of the mouse, then the time from the event's own time stamp to the
  call that puts the new pixels on the page (canvas) or to the picture having loaded (st.image),
  each move waiting for the last one's picture. Stock Streamlit sends only on release, so there
  each move is press, move, release, timed from the release.
- frames/s: different pictures shown during one continuous drag of a few seconds.

Then Class images climbs all ten classes for a while: frames/s are those that reach the canvas.

With --sessions N, N browser tabs, each with a session of its own, open the page and drag all the
time (moves for 1.5 s, rests for 0.5 s) for 20 s; the server's CPU time, its memory a session and
what one of them feels are printed, against one session alone. All N tabs share this machine's
cores, which N laptops would not: read the server's numbers first.

    python benchmarks/latency.py [--model vae-20] [--moves 60] [--seconds 4] [--sessions 30]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hand import WATCH, Felt, feel, latent_handle, stock_handle
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from rerun import ROOT, STOCK, free_port, start

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
# Tabs behind the front one must keep drawing, as they would on a laptop of their own.
FLAGS += ["--disable-renderer-backgrounding", "--disable-background-timer-throttling"]

STOCK_SCRIPT = """
import streamlit as st, torch
from genlib.store import checkpoint
model = st.cache_resource(checkpoint.load)({path!r})
z = torch.zeros(1, model.latent_dim)
z[0, {first}] = st.slider("z", -3.0, 3.0, 0.0, 0.01)
st.image(model.decode(z)[0, 0].numpy(), width=336, output_format="PNG")
"""

# What every other session of a classroom does, without a mouse of its own.
DRAG_FOR_EVER = """(seed) => {
    const input = document.querySelector("[data-testid=stMain]").querySelectorAll("*")
    const roots = [...input].filter((e) => e.shadowRoot).map((e) => e.shadowRoot)
    const slider = roots.map((r) => r.querySelector(".rows input")).find(Boolean)
    const [low, high] = [Number(slider.min), Number(slider.max)]
    const step = (now) => {
        if ((now + seed * 67) % 2000 < 1500) {
            slider.value = low + (high - low) * (0.5 + 0.4 * Math.sin(now / 300 + seed))
            slider.dispatchEvent(new Event("input", { bubbles: true }))
        }
        requestAnimationFrame(step)
    }
    requestAnimationFrame(step)
}"""


# The film writes its frame's version beside each frame that it has drawn.
COUNT_FRAMES = """(film) => {
    window.frames_drawn = 0
    const watch = new MutationObserver(() => window.frames_drawn++)
    watch.observe(film, { attributeFilter: ["data-version"] })
}"""


def open_latent_space(
    context: BrowserContext, url: str, model: str, *, server: bool = False
) -> Page:
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(
        f"{url}/latent-space?latent_space.model={model}{'&latent_space.path=Server' * server}"
    )
    word = "on the server" if server else "in your browser"
    page.locator(".latent-pad .path", has_text=word).wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    return page


@contextmanager
def served(script: Path, options: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """A server of `script`; gives its address and process id."""
    port = free_port()
    process = start(script, port, options)
    try:
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def compare(browser: Browser, model: str, moves: int, seconds: float) -> dict[str, Felt]:
    """The three ways, one after the other."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "stock.py"
        path = str(ROOT / "checkpoints" / f"{model}.safetensors")
        script.write_text(STOCK_SCRIPT.format(path=path, first=0))
        with served(script, STOCK) as (url, _), browser.new_context() as context:
            page = context.new_page()
            page.add_init_script(WATCH)
            page.goto(url)
            page.locator("img").first.wait_for(timeout=60_000)
            page.wait_for_timeout(1500)
            found["stock slider"] = feel(page, stock_handle(page), moves, seconds)
    with served(ROOT / "app.py") as (url, _), browser.new_context() as context:
        context.new_page().goto(url)  # the first page after a start is slower
        for name, server in (("server path", True), ("browser path", False)):
            page = open_latent_space(context, url, model, server=server)
            found[name] = feel(page, latent_handle(page), moves, seconds)
            page.close()
    return found


def film(browser: Browser, seconds: float) -> tuple[float, float]:
    """Frames/s on the canvas and steps/s of the ascent, while Class images climbs ten classes."""
    clock = "(film) => [Number(film.dataset.step), performance.now()]"
    with served(ROOT / "app.py") as (url, _), browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{url}/class-images")
        page.get_by_role("button", name="Start", exact=True).click(timeout=60_000)
        page.get_by_role("button", name="Pause", exact=True).wait_for(timeout=60_000)
        page.wait_for_timeout(3000)
        canvas = page.locator(".film")
        canvas.evaluate(COUNT_FRAMES)
        step, begin = canvas.evaluate(clock)
        page.wait_for_timeout(1000 * seconds)
        last, end = canvas.evaluate(clock)
        frames = float(page.evaluate("window.frames_drawn"))
    return 1000 * frames / (end - begin), 1000 * (last - step) / (end - begin)


def usage(pid: int) -> tuple[float, float]:
    """CPU seconds so far and resident MB of a process (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def classroom(browser: Browser, model: str, sessions: int, moves: int) -> None:
    """One session alone, then `sessions` of them dragging at once for 20 s."""
    with served(ROOT / "app.py") as (url, pid), browser.new_context() as context:
        context.new_page().goto(url)
        probe = open_latent_space(context, url, model)
        alone = feel(probe, latent_handle(probe), moves, 4)
        print(f"one session alone        {alone}")
        _, before = usage(pid)
        others = [open_latent_space(browser.new_context(), url, model) for _ in range(sessions - 1)]
        time.sleep(2)
        _, after = usage(pid)
        for seed, page in enumerate(others):
            page.evaluate(DRAG_FOR_EVER, seed)
        probe.bring_to_front()
        cpu, _ = usage(pid)
        begin = time.perf_counter()
        crowded = feel(probe, latent_handle(probe), moves, 4)
        time.sleep(max(0.0, 20 - (time.perf_counter() - begin)))
        took = time.perf_counter() - begin
        used = usage(pid)[0] - cpu
        print(f"{sessions} sessions dragging     {crowded}")
        each = (after - before) / max(1, sessions - 1)
        print(f"server: {100 * used / took:.0f}% of one core, {each:.2f} MB a session")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="vae-20", help="a shipped checkpoint")
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--sessions", type=int, default=0, help="load test with so many tabs")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    options = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        path = chromium if Path(chromium).exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        if options.sessions:
            classroom(browser, options.model, options.sessions, options.moves)
        else:
            found = compare(browser, options.model, options.moves, options.seconds)
            for name, felt in found.items():
                print(f"{name:14} {felt}")
            frames, steps = film(browser, 2 * options.seconds)
            print(f"class images   {frames:.0f} frames/s on the canvas, {steps:.0f} steps/s")
            if options.json:
                options.json.write_text(json.dumps({k: vars(v) for k, v in found.items()}))
        browser.close()


if __name__ == "__main__":
    main()
