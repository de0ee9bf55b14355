"""One bare rerun, browser to browser: Streamlit's stock settings against ours, in one run.

Both servers serve the same small script, with torch, torchvision and scikit-learn imported as the
pages have them. The client speaks Streamlit's own protocol over a real websocket on the loopback
interface: it asks for a rerun and waits for "script finished". Prints medians in ms and the ratio;
exits with 1 when the median of ours is above LIMIT_MS.

    python benchmarks/rerun.py [--reruns 60]
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MS = 15.0
STARTUP_S = 60.0
# As fast as a hand drags. After longer pauses Linux acknowledges at once, and Nagle waits for
# nothing: the second delay would hide.
PAUSE_S = 0.015
SCRIPT = """
import sklearn.manifold, streamlit as st, torch, torchvision
{tune}
st.session_state.count = st.session_state.get("count", 0) + 1
st.title("Bare page")
st.write(f"run {{st.session_state.count}}")
st.slider("Epochs", 1, 100, 10)
st.button("Again")
"""
TUNE = """
from genlib.ui.kit import server
server.tune()
"""
STOCK = ("--runner.postScriptGC", "true")
NO_GC = ("--runner.postScriptGC", "false")
# name -> lines added to the script, options of the server
SETTINGS = {"stock": ("", STOCK), "stock, no GC": ("", NO_GC), "ours": (TUNE, NO_GC)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(script: Path, port: int, options: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start `streamlit run script` in a folder without our config; return once it is healthy."""
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    command += ["--server.port", str(port), "--server.headless", "true"]
    command += ["--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=script.parent, env=env, stdout=quiet, stderr=quiet)
    wait_until_healthy(server, port)
    return server


def wait_until_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait for the server's health answer; end this program when it dies or takes too long."""
    until = time.monotonic() + STARTUP_S
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    server.kill()
    raise SystemExit(f"the app did not start within {STARTUP_S:g} seconds")


def rerun(client: ClientConnection) -> float:
    """Ask for a rerun; return the ms until the server says that the script has finished."""
    request = BackMsg()
    request.rerun_script.query_string = ""
    begin = time.perf_counter()
    client.send(request.SerializeToString())
    while True:
        message = ForwardMsg()
        message.ParseFromString(client.recv(timeout=60))
        if message.WhichOneof("type") == "script_finished":
            return 1000 * (time.perf_counter() - begin)


def measure(tune: str, options: tuple[str, ...], reruns: int) -> list[float]:
    """The ms that each of so many reruns took, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(SCRIPT.format(tune=tune))
        port = free_port()
        server = start(script, port, options)
        try:
            url = f"ws://127.0.0.1:{port}/_stcore/stream"
            with connect(url, subprotocols=["streamlit"], max_size=None) as client:
                rerun(client)
                time.sleep(2)  # imports are over, the heap is frozen
                times = []
                for _ in range(reruns):
                    times.append(rerun(client))
                    time.sleep(PAUSE_S)
        finally:
            server.terminate()
            server.wait()
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reruns", type=int, default=60, help="how many to take the median of")
    reruns = parser.parse_args().reruns
    print(f"median and 95th percentile of {reruns} reruns, server and loopback")
    medians = {}
    for name, (tune, options) in SETTINGS.items():
        times = measure(tune, options, reruns)
        medians[name] = statistics.median(times)
        ratio = medians["stock"] / medians[name]
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{name:14} {medians[name]:7.1f} ms {p95:7.1f} ms   {ratio:5.1f} x", flush=True)
    ours = medians["ours"]
    return int(ours > LIMIT_MS)


if __name__ == "__main__":
    raise SystemExit(main())
