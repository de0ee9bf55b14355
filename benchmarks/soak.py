"""Thirty sessions for a while: they change pages and move widgets; what it costs the server.

The clients speak Streamlit's own protocol over real websockets on the loopback interface. First one
session visits every page twice, for the memory that every page's caches take. Then each session
repeats: think (PAUSE_S seconds on average), then go to a random page (one time in three) or move a
random slider, number or list of its page. A page change lasts from the request to "script
finished"; what a page asks for by itself (run_every) is sent, and packets of weights and pictures
are fetched, as a browser does.

Prints errors, p50 and p95 of page changes and of widget moves, memory and threads of the server
before and after, the load of the machine meanwhile, and the slowest pages. Exits with 1 after an
error, or when p95 or memory is above its bar on a machine that has nothing else to do.

    python benchmarks/soak.py                  # 30 sessions, 120 s
    python benchmarks/soak.py --seconds 600 --sessions 10 --pause 2 --json
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from rerun import free_port, wait_until_healthy
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[1]
SESSIONS, SECONDS, PAUSE_S = 30, 120.0, 5.0
P95_S, MEMORY_GB = 0.8, 1.2
PAGE_CHANGES = 1 / 3  # of all actions; the others move widgets
REST_S = 10.0  # after the last visitor has left: what the last pages still computed has ended
STREAM = "/_stcore/stream"
PACKET = re.compile(r"packets/\w+")
LONGEST_S = 60.0  # a run of a script that takes longer is an error
QUIET_LOAD = 1.0  # of other programs, below which times say something about the app


@dataclass
class Log:
    """What all sessions measured. Lists are appended to by several threads."""

    pages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    widgets: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def changes(self) -> list[float]:
        """Seconds of all page changes."""
        return [seconds for times in self.pages.values() for seconds in times]


class Session:
    """One visitor: a websocket, the pages it may go to, the widgets of its page."""

    def __init__(self, url: str, log: Log, rng: random.Random) -> None:
        self._log, self._rng = log, rng
        self._client: ClientConnection = connect(url, subprotocols=["streamlit"], max_size=None)
        self.hashes: dict[str, str] = {}  # page -> hash of its script
        self.page = self.doing = ""
        self._base = url.replace("ws://", "http://").removesuffix(STREAM)
        self._packets: set[str] = set()  # addresses of those that a browser would have by now
        self._widgets: dict[str, tuple[WidgetState, str]] = {}  # id -> (a move, fragment)
        self._run("home", BackMsg())

    def close(self) -> None:
        """Leave as a closed tab does."""
        self._client.close()

    def go(self, page: str) -> float:
        """Change to a page; seconds until its script has finished."""
        self._widgets, self.page = {}, page
        request = BackMsg()
        request.rerun_script.page_script_hash = self.hashes[page]
        seconds = self._run(page, request)
        self._log.pages[page].append(seconds)
        return seconds

    def move(self) -> None:
        """Move one of the page's widgets, if it has any."""
        if not self._widgets:
            return
        state, fragment = self._rng.choice(list(self._widgets.values()))
        request = BackMsg()
        request.rerun_script.page_script_hash = self.hashes[self.page]
        request.rerun_script.fragment_id = fragment
        request.rerun_script.widget_states.widgets.append(state)
        self._log.widgets.append(self._run(f"{self.page}: {state.id[-40:]}", request))

    def _run(self, what: str, request: BackMsg) -> float:
        if not request.WhichOneof("type"):
            request.rerun_script.query_string = ""
        self.doing = what
        begin = time.perf_counter()
        self._client.send(request.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(self._client.recv(timeout=LONGEST_S))
            kind = message.WhichOneof("type")
            if kind == "navigation":
                pages = message.navigation.app_pages
                self.hashes = {page.url_pathname or "home": page.page_script_hash for page in pages}
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self._look(what, message)
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    self._log.errors.append(f"{what}: the script could not be compiled")
                if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return time.perf_counter() - begin

    def _look(self, what: str, message: ForwardMsg) -> None:
        """Note a widget and how it may be moved, or an exception on the page."""
        element, rng = message.delta.new_element, self._rng
        kind = element.WhichOneof("type")
        if kind == "exception":
            self._log.errors.append(f"{what}: {element.exception.type} {element.exception.message}")
            return
        if kind == "bidi_component":
            for address in set(PACKET.findall(element.bidi_component.json)) - self._packets:
                self._packets.add(address)
                with urlopen(f"{self._base}/{address}") as answer:
                    answer.read()
            return
        state = WidgetState()
        if kind == "slider" and not element.slider.disabled:
            slider = element.slider
            state.id = slider.id
            if slider.type == slider.SELECT_SLIDER:
                chosen = [rng.choice(slider.options) for _ in slider.default]
                state.string_array_value.data.extend(chosen)
                self._widgets[state.id] = (state, message.delta.fragment_id)
                return
            steps = int((slider.max - slider.min) / slider.step) if slider.step else 0
            value = slider.min + rng.randint(0, steps) * slider.step
            state.double_array_value.data.extend([value] * len(slider.default))
        elif kind == "selectbox" and element.selectbox.options and not element.selectbox.disabled:
            state.id = element.selectbox.id
            state.string_value = rng.choice(element.selectbox.options)
        elif kind == "number_input" and not element.number_input.disabled:
            number = element.number_input
            if not (number.has_min and number.has_max):
                return
            value = min(number.min + rng.randint(0, 5) * (number.step or 1), number.max)
            state.id = number.id
            state.double_value = value
        if state.id:
            self._widgets[state.id] = (state, message.delta.fragment_id)


def visit(url: str, log: Log, seed: int, until: float, pause_s: float) -> None:
    """Be one visitor until the time is up."""
    rng = random.Random(seed)
    time.sleep(rng.random() * pause_s)
    session = None
    try:
        session = Session(url, log, rng)
        session.go(rng.choice(list(session.hashes)))
        while time.monotonic() < until:
            time.sleep(rng.expovariate(1 / pause_s))
            if rng.random() < PAGE_CHANGES:
                session.go(rng.choice(list(session.hashes)))
            else:
                session.move()
        session.close()
    except (OSError, ConnectionClosed) as error:
        where = session.doing if session else "home"
        log.errors.append(f"session {seed}, {where}: {type(error).__name__} {error}")


def status(pid: int) -> tuple[float, int]:
    """A process's resident memory (VmRSS) in GB and its threads; the bar holds for this."""
    said = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(said["VmRSS"].split()[0]) / 1e6, int(said["Threads"])


def shares(pid: int) -> dict[str, float]:
    """What the resident memory of the server and its children is, in GB.

    anonymous: heaps, tensors, arrays; the rest are pages of files, libraries most of all, which
    every process of the machine that uses them shares. pss: each page divided by who shares it.
    """
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    children = " ".join(file.read_text() for file in threads).split()
    names = {"Rss": "rss", "Pss": "pss", "Anonymous": "anonymous"}
    found = dict.fromkeys(names.values(), 0.0)
    for one in (str(pid), *children):
        try:
            said = Path(f"/proc/{one}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):  # a child that has ended meanwhile
            continue
        for line in said.splitlines():
            name = names.get(line.split(":")[0])
            if name:
                found[name] += int(line.split()[1]) / 1e6
    return {**found, "children": len(children)}


def start(port: int, folder: str) -> subprocess.Popen[bytes]:
    """The app as ``make app`` starts it, with runs of its own."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "GENLIB_RUNS": folder}
    with open(Path(folder) / "server.log", "wb") as out:
        server = subprocess.Popen(
            [*command, "--server.headless", "true"], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    wait_until_healthy(server, port)
    return server


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantile(values: list[float], q: float) -> float:
    """A quantile of some seconds; NaN of none."""
    return sorted(values)[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def tour(url: str, log: Log, pid: int) -> dict[str, float]:
    """Visit every page with one session; GB that the server grew by at each."""
    session, grown = Session(url, log, random.Random(0)), {}
    for page in session.hashes:
        before = status(pid)[0]
        session.go(page)
        time.sleep(1)  # what the page started in the background
        grown[page] = status(pid)[0] - before
    session.close()
    return grown


def soak(options: argparse.Namespace) -> dict[str, object]:
    """Run it; all that is printed."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = start(port, folder)
        url = f"ws://127.0.0.1:{port}{STREAM}"
        try:
            first = Log()
            grown = tour(url, first, server.pid)
            tour(url, first, server.pid)
            before = status(server.pid)
            log, begun, used = Log(), time.monotonic(), cpu_seconds(server.pid)
            until = begun + options.seconds
            sessions = [
                threading.Thread(target=visit, args=(url, log, n, until, options.pause))
                for n in range(options.sessions)
            ]
            for thread in sessions:
                thread.start()
            for thread in sessions:
                thread.join()
            busy = (cpu_seconds(server.pid) - used) / (time.monotonic() - begun)
            after, parts = status(server.pid), shares(server.pid)
            time.sleep(REST_S)
            rest = status(server.pid)
        finally:
            server.terminate()
            server.wait()
    changes = log.changes()
    return {
        "sessions": options.sessions,
        "seconds": options.seconds,
        "pause": options.pause,
        "errors": [*first.errors, *log.errors],
        "page changes": len(changes),
        "page p50": quantile(changes, 0.5),
        "page p95": quantile(changes, 0.95),
        "widget moves": len(log.widgets),
        "widget p50": quantile(log.widgets, 0.5),
        "widget p95": quantile(log.widgets, 0.95),
        "memory before": before[0],
        "memory after": after[0],
        "memory at rest": rest[0],
        "parts": parts,
        "threads before": before[1],
        "threads after": after[1],
        "server cores": busy,
        "load": os.getloadavg()[0],
        "slowest": sorted(
            ((statistics.median(times), page) for page, times in log.pages.items()), reverse=True
        )[:6],
        "grown": sorted(((gb, page) for page, gb in grown.items()), reverse=True)[:6],
    }


def show(found: dict[str, object]) -> None:
    """Print it for people."""
    print("{sessions} sessions, {seconds:g} s, thinking {pause:g} s on average".format(**found))
    for name in ("page", "widget"):
        count = found["page changes" if name == "page" else "widget moves"]
        print(
            f"  {name:7s} {count:5d}   p50 {found[f'{name} p50']:.2f} s   "
            f"p95 {found[f'{name} p95']:.2f} s"
        )
    print(
        "  memory  {memory before:.2f} GB after a tour of all pages, {memory after:.2f} GB at the "
        "end, {memory at rest:.2f} GB at rest".format(**found)
    )
    print(
        "          of which {anonymous:.2f} GB aren't of files; {pss:.2f} GB by share (PSS); "
        "{children:.0f} children count".format(**found["parts"])  # type: ignore[arg-type]
    )
    print("  threads {threads before} before, {threads after} after".format(**found))
    print("  server  {server cores:.2f} cores; load of the machine {load:.1f}".format(**found))
    print("  slowest pages: " + ", ".join(f"{p} {s:.2f} s" for s, p in found["slowest"]))  # type: ignore[attr-defined]
    print("  largest growth: " + ", ".join(f"{p} {g:.2f} GB" for g, p in found["grown"]))  # type: ignore[attr-defined]
    errors = found["errors"]
    print(f"  errors  {len(errors)}")  # type: ignore[arg-type]
    for error in errors[:10]:  # type: ignore[index]
        print(f"    {error}")


def main() -> int:
    """Run it and compare with the bars."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--pause", type=float, default=PAUSE_S, help="seconds between actions")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = soak(options)
    print(json.dumps(found, indent=1)) if options.json else show(found)
    if found["errors"] or float(str(found["memory after"])) > MEMORY_GB:
        return 1
    others = float(str(found["load"])) - float(str(found["server cores"]))
    return int(others < QUIET_LOAD and float(str(found["page p95"])) > P95_S)


if __name__ == "__main__":
    sys.exit(main())
