"""Fixtures for tests in a real browser, over a real server.

    def test_moving_the_slider_changes_the_picture(open_page, canvas_pixels):
        page = open_page("latent-space?latent_space.model=vae-2")  # waits for the script
        before = canvas_pixels(page, "canvas")                     # (H, W, 4) uint8, RGBA
        page.get_by_label("...").fill("2")
        settle(page)                                               # waits for the rerun
        assert (canvas_pixels(page, "canvas") != before).any()

Fixtures
    app_url      http://127.0.0.1:PORT of `streamlit run app.py`, one per test process (so one per
                 pytest-xdist worker), with an empty $GENLIB_RUNS; its log is printed at the end
                 when a test of this process failed.
    evil_url     the same of an app in which every name that people can give is hostile.
    page         an empty Chromium tab, 1440x900. The test fails if the page's own JavaScript threw.
                 Nothing that a test stores in the browser is there for the next.
    open_page    open_page("latent-map?map.by=PCA", width=1440, height=900) -> the tab, settled.
    settle       settle(page): waits until no script is running; fails if the page shows an
                 exception box, unless exceptions_ok=True.
    canvas_pixels  canvas_pixels(page, selector) -> numpy array; looks into shadow roots, which is
                 where Streamlit's components draw.

A Chromium is looked for in $CHROMIUM, then on PATH, then where Playwright puts its own.
The headless shell is preferred: the same engine without a window, a third less work for each tab.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.waiting import PATIENCE
from tests.evil import Evil

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
STARTUP_SECONDS = 180
STORED = "cookies,file_systems,indexeddb,local_storage,service_workers,websql"  # all but the cache
expect.set_options(timeout=PATIENCE)
READ_CANVAS = """(canvas) => {
    const copy = document.createElement("canvas");
    copy.width = canvas.width;
    copy.height = canvas.height;
    copy.getContext("2d").drawImage(canvas, 0, 0);
    const data = copy.getContext("2d").getImageData(0, 0, copy.width, copy.height).data;
    let text = "";
    for (let i = 0; i < data.length; i += 32768) {
        text += String.fromCharCode(...data.subarray(i, i + 32768));
    }
    return {width: copy.width, height: copy.height, data: btoa(text)};
}"""


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember on the session that a test failed: the server's log is printed then."""
    outcome = yield
    if outcome.get_result().failed:
        item.session.stash[SOMETHING_FAILED] = True


SOMETHING_FAILED = pytest.StashKey[bool]()


def find_chromium() -> str | None:
    """The path of a Chromium, or None to let Playwright use its own."""
    names = (os.environ.get("CHROMIUM", ""), "chromium-headless-shell", "chromium")
    names += ("chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the server's health answer; fail with its log when it dies or takes too long."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"streamlit did not start; its log:\n{log.read_text()}", pytrace=False)


@contextmanager
def serve(folder: Path, env: Mapping[str, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an app with these variables, stopped after the block."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {**os.environ, **env, "PYTHONUNBUFFERED": "1"}
    env.setdefault("OMP_NUM_THREADS", "1")
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    command += ["--server.headless", "true", "--client.showErrorDetails", "full"]
    log = folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_until_healthy(url, server, log)
        yield url
    finally:
        # The whole group: a training run is a process that the server started.
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        if request.session.stash.get(SOMETHING_FAILED, False):
            print(f"\n--- log of the server at {url} ---\n{log.read_text()}", file=sys.stderr)


@pytest.fixture(scope="session")
def app_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the running app's runs."""
    return tmp_path_factory.mktemp("server") / "runs"


@pytest.fixture(scope="session")
def app_url(app_runs: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a running app, stopped at the end of the session."""
    with serve(app_runs.parent, {"GENLIB_RUNS": str(app_runs)}, request) as url:
        yield url


@pytest.fixture(scope="session")
def evil_url(evil: Evil, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an app in which every name that people can give is hostile."""
    with serve(evil.folder, evil.env, request) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserType]:
    """How to start a Chromium."""
    with sync_playwright() as playwright:
        yield playwright.chromium


def how(chromium: BrowserType) -> tuple[str | None, list[str]]:
    """The path of the one to start and its flags; a clear failure where there is none."""
    path = find_chromium()
    if path is None and not Path(chromium.executable_path).exists():
        pytest.fail(
            "The browser tests need Chromium: install it, set CHROMIUM to its path, or run "
            ".ci/chromium .venv/bin/python",
            pytrace=False,
        )
    return path, list(FLAGS)


@pytest.fixture(scope="session")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    """A Chromium for windows of other kinds than ``page``'s."""
    path, flags = how(chromium)
    with chromium.launch(executable_path=path, args=flags) as started:
        yield started


@pytest.fixture(scope="session")
def window(
    chromium: BrowserType, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """One window for the session, as a person has: it keeps the files that it has fetched, and
    their compiled code, on the disk. That saves a fifth of the work of opening a page."""
    path, flags = how(chromium)
    with chromium.launch_persistent_context(
        tmp_path_factory.mktemp("chromium"),
        executable_path=path,
        args=flags,
        viewport={"width": 1440, "height": 900},
    ) as opened:
        opened.set_default_timeout(PATIENCE)
        yield opened


@pytest.fixture
def page(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty tab, 1440x900. Fails the test when the page's JavaScript throws.

    Marked ``no_policy``, the browser ignores what the server forbids pages to load.
    """
    tab = window.new_page()
    session = window.new_cdp_session(tab)
    if request.node.get_closest_marker("no_policy") is not None:
        session.send("Page.setBypassCSP", {"enabled": True})
    thrown: list[str] = []
    tab.on("pageerror", lambda error: thrown.append(str(error)))
    visited: set[str] = set()
    tab.on("framenavigated", lambda frame: visited.add(frame.url))
    yield tab
    # The next test finds nothing of this one but fetched files.
    for scheme, host in {urlsplit(url)[:2] for url in visited if url.startswith("http")}:
        origin = {"origin": f"{scheme}://{host}", "storageTypes": STORED}
        session.send("Storage.clearDataForOrigin", origin)
    for one in window.pages[1:]:  # the first is the window's own: without a tab it closes
        one.close()
    window.clear_permissions()
    window.set_offline(False)
    assert not thrown, f"the page's JavaScript threw: {thrown}"


def _settle(page: Page, *, exceptions_ok: bool = False) -> None:
    app = page.locator("[data-testid=stApp]")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
    # A change made in the browser reaches the server within a moment; only then is "not
    # running" an answer to it. Twice, because a fragment may start another run.
    for _ in range(2):
        page.wait_for_timeout(60)
        expect(app).to_have_attribute("data-test-script-state", "notRunning")
    if not exceptions_ok:
        boxes = page.locator("[data-testid=stException]")
        assert boxes.count() == 0, f"the page shows an exception: {boxes.first.inner_text()}"


@pytest.fixture
def settle() -> Callable[..., None]:
    """settle(page, exceptions_ok=False): wait until the script has run."""
    return _settle


@pytest.fixture
def open_page(page: Page, app_url: str) -> Callable[..., Page]:
    """open_page(path, width=1440, height=900) -> the tab, its script having run."""

    def open_path(path: str = "", *, width: int = 1440, height: int = 900) -> Page:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{app_url}/{path.lstrip('/')}", wait_until="domcontentloaded")
        page.wait_for_selector("[data-testid=stMain] [data-testid=stElementContainer]:visible")
        _settle(page)
        return page

    return open_path


@pytest.fixture
def canvas_pixels() -> Callable[[Page, str], np.ndarray]:
    """canvas_pixels(page, selector) -> the first such canvas as (H, W, 4) uint8, RGBA."""

    def read(page: Page, selector: str = "canvas") -> np.ndarray:
        found = page.locator(selector).first.evaluate(READ_CANVAS)
        data = np.frombuffer(base64.b64decode(found["data"]), np.uint8)
        return data.reshape(found["height"], found["width"], 4)

    return read
