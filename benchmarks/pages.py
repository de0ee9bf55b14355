"""From a click, or from a fresh browser, to a page's picture: every page, next to a bare one.

For each page four waits, in seconds until its stage shows a picture, and the processor time that
the server spends meanwhile:

    switch   inside the app, from Home, in a tab that has not shown the page yet, but whose browser
             has its files; goal 0.35 s
    again    the same way once more, after Back; goal 0.35 s
    fresh    a browser without a cache on a server that has shown the page before; goal 1.5 s
    first    a fresh browser's first visit once the server answers after a start; goal 3 s

How long both servers take until they answer is printed, too: ours imports torch before it does.

The baseline is a bare page of the same Streamlit with the same settings: a title, a menu of two
pages and one picture. Ratios to it hold on busy machines, where seconds don't. A goal counts as
missed only if the seconds miss it on a machine without other load.

    python benchmarks/pages.py [page ...] [--no-first] [--rounds 3] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from rerun import ROOT, free_port, start

from genlib.ui import menu

GOALS = {"switch": 0.35, "again": 0.35, "fresh": 1.5, "first": 3.0}  # seconds
PATIENCE = 120_000  # ms
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
TICKS = os.sysconf("SC_CLK_TCK")
BARE = "bare page"
SCRIPTS = {
    "app.py": """
import numpy as np, streamlit as st
st.set_page_config(layout="wide")
st.navigation([st.Page("one.py", default=True), st.Page("two.py")], position="top").run()
""",
    "one.py": "import streamlit as st\nst.title('One')\nst.container(key='stage').button('x')",
    "two.py": """
import numpy as np, streamlit as st
st.title("Two")
st.container(key="stage").image(np.zeros((200, 200), np.uint8))
""",
}
# Resolves with the time at which the stage shows a picture (a canvas that isn't blank), or a page
# without one has run.
SHOWS = """(title) => new Promise((resolve) => {
    const PICTURE = "canvas, img, .main-svg, .vega-embed, .tree, .versus, .pt, .dots"
    const probe = new OffscreenCanvas(16, 16).getContext("2d", { willReadFrequently: true })
    const blank = (canvas) => {
        probe.clearRect(0, 0, 16, 16)
        if (canvas.width && canvas.height) probe.drawImage(canvas, 0, 0, 16, 16)
        return probe.getImageData(0, 0, 16, 16).data.every((level) => !level)
    }
    const pictures = (root) => [...root.querySelectorAll("*")].flatMap((e) => [
        ...(e.matches(PICTURE) && e.getBoundingClientRect().width >= 30 ? [e] : []),
        ...(e.shadowRoot ? pictures(e.shadowRoot) : []),
    ])
    const look = () => {
        const main = document.querySelector("[data-testid=stMain]")
        const stage = main?.querySelector(".st-key-stage")
        const there = main?.querySelector("h1")?.innerText.trim() === title
        const app = document.querySelector("[data-testid=stApp]")
        const ran = app?.dataset.testScriptState === "notRunning" && stage
        const found = there && stage ? pictures(stage) : []
        const painted = found.some((e) => e.localName !== "canvas" || !blank(e))
        if (there && (painted || (ran && !found.length))) resolve(performance.now())
        else requestAnimationFrame(look)
    }
    look()
})"""


@dataclass
class Wait:
    """One wait: seconds, and the server's processor time meanwhile."""

    seconds: float
    cpu: float


class Server:
    """An app that runs, ours or the bare one."""

    def __init__(self, script: Path) -> None:
        self.port = free_port()
        runs = tempfile.mkdtemp()
        os.environ.update(GENLIB_RUNS=runs)
        options = ("--server.address", "127.0.0.1", "--client.toolbarMode", "minimal")
        begin = time.monotonic()
        self.process: subprocess.Popen[bytes] = start(script, self.port, options)
        self.started = time.monotonic() - begin  # seconds until it answered
        self.url = f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Seconds of processor time of all its threads so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def timed(self, wait: Callable[[], float]) -> Wait:
        """The seconds that ``wait`` returns, with the processor time spent meanwhile."""
        before = self.cpu()
        seconds = wait()
        return Wait(seconds, self.cpu() - before)


@contextmanager
def serve(script: Path) -> Iterator[Server]:
    server = Server(script)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait()


def titles(browser: Browser, server: Server, path: str) -> str:
    """The title that a page shows, read on a visit that isn't timed."""
    tab = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    tab.goto(f"{server.url}/{path}")
    tab.locator("[data-testid=stMain] h1").wait_for(timeout=PATIENCE)
    tab.wait_for_selector("[data-test-script-state=notRunning]", timeout=PATIENCE)
    title = tab.locator("[data-testid=stMain] h1").first.inner_text().strip()
    tab.context.close()
    return title


def fresh(browser: Browser, server: Server, path: str, title: str) -> float:
    """Seconds from the navigation of a browser without a cache to the picture."""
    tab = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto(f"{server.url}/{path}", wait_until="commit")
    ms = float(tab.evaluate(SHOWS, title))
    tab.context.close()
    return ms / 1000


def switched(tab: Page, path: str, title: str) -> float:
    """Seconds from the click in the menu to the picture, on a page visited before."""
    link = f"a[href$='/{path}']"
    section = tab.get_by_test_id("stTopNavSection")
    for n in range(section.count()):  # sections open on a click; a short menu has none
        section.nth(n).click()
        if tab.locator(link).locator("visible=true").count():
            break
    begin = float(tab.evaluate("performance.now()"))
    tab.locator(link).locator("visible=true").last.click(no_wait_after=True)
    return (float(tab.evaluate(SHOWS, title)) - begin) / 1000


def switch(
    browser: Browser, server: Server, path: str, title: str, first_title: str
) -> tuple[Wait, Wait]:
    """From the first page to this one, in a tab that has not shown it yet; and once more."""
    tab = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto(f"{server.url}/{path}")
    tab.evaluate(SHOWS, title)
    tab.goto(server.url)  # a new session: the browser has kept files, nothing else
    rest(tab)
    once = server.timed(lambda: switched(tab, path, title))
    rest(tab)
    tab.go_back()
    tab.evaluate(SHOWS, first_title)
    rest(tab)
    again = server.timed(lambda: switched(tab, path, title))
    tab.context.close()
    return once, again


def rest(tab: Page) -> None:
    """Wait until a page has run, and for pictures that are still being drawn."""
    tab.wait_for_selector("[data-test-script-state=notRunning]")
    tab.mouse.move(2, 400)  # no tooltip over the menu
    tab.wait_for_timeout(1000)


def median(waits: list[Wait]) -> Wait:
    return Wait(
        *(statistics.median(getattr(w, name) for w in waits) for name in ("seconds", "cpu"))
    )


def warm(
    browser: Browser, server: Server, path: str, title: str, first_title: str, rounds: int
) -> dict[str, Wait]:
    """Switch, again and fresh, medians of so many rounds, after one visit."""
    switches = [switch(browser, server, path, title, first_title) for _ in range(rounds)]
    once, again = (list(waits) for waits in zip(*switches, strict=True))
    opened = [server.timed(partial(fresh, browser, server, path, title)) for _ in range(rounds)]
    return {"switch": median(once), "again": median(again), "fresh": median(opened)}


def measure(
    browser: Browser, paths: list[str], first: bool, rounds: int
) -> dict[str, dict[str, Wait]]:
    """All waits by page, the bare one before them."""
    found: dict[str, dict[str, Wait]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in SCRIPTS.items():
            (Path(folder) / name).write_text(text)
        apps = {BARE: (Path(folder) / "app.py", ["two"]), "": (ROOT / "app.py", paths)}
        for label, (script, places) in apps.items():
            with serve(script) as server:
                print(f"{label or 'genlib'}: answers after {server.started:.1f} s", file=sys.stderr)
                named = {path: titles(browser, server, path) for path in places}
                home = titles(browser, server, "")
                for path, title in named.items():
                    found[label or path] = warm(browser, server, path, title, home, rounds)
                    told(label or path, found[label or path])
            for path, title in named.items() if first else []:
                with serve(script) as server:
                    wait = server.timed(partial(fresh, browser, server, path, title))
                    found[label or path]["first"] = wait
                    told(label or path, {"first": wait})
    return found


def told(path: str, waits: dict[str, Wait]) -> None:
    """Say what was just measured: all of it takes many minutes."""
    seconds = ", ".join(f"{kind} {wait.seconds:.2f} s" for kind, wait in waits.items())
    print(f"{path}: {seconds}", file=sys.stderr, flush=True)


def show(found: dict[str, dict[str, Wait]]) -> int:
    """Print the table; returns how many goals were missed."""
    missed = 0
    base = found[BARE]
    print(f"{'page':18}" + "".join(f"{kind:>9} {'x bare':>7} {'cpu s':>6}" for kind in base))
    for path, waits in found.items():
        line = f"{path:18}"
        for kind, wait in waits.items():
            over = path != BARE and wait.seconds > GOALS[kind]
            missed += over
            ratio = wait.seconds / base[kind].seconds
            line += f"{wait.seconds:8.2f}{'!' if over else ' '} {ratio:7.2f} {wait.cpu:6.2f}"
        print(line, flush=True)
    print(f"goals: {GOALS}; missed: {missed} (!); load of the machine {os.getloadavg()[0]:.1f}")
    return missed


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for the block."""
    with sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    paths = [row.path for row in menu.PAGES if row.path != "home"]
    parser.add_argument("pages", nargs="*", choices=[[], *paths], default=[])
    parser.add_argument("--no-first", action="store_true", help="start no server for each page")
    parser.add_argument("--rounds", type=int, default=3, help="how many to take the median of")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with chromium() as browser:
        chosen = options.pages or paths
        found = measure(browser, chosen, not options.no_first, options.rounds)
    if options.json:
        print(
            json.dumps({p: {k: asdict(w) for k, w in kinds.items()} for p, kinds in found.items()})
        )
        return 0
    return int(show(found) > 0)


if __name__ == "__main__":
    raise SystemExit(main())
