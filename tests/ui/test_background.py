"""Work behind the pages ends before the process does: no thread is left inside torch."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from benchmarks.rerun import free_port, wait_until_healthy

ROOT = Path(__file__).resolve().parents[2]
# Registered first, so it runs last: whose thread is still there when Python begins to end.
LEFT = """
import atexit, threading, time
def look():
    alive = {t.name for t in threading.enumerate()} - {"MainThread"}
    print("left:", sorted(alive))
atexit.register(look)
def wait(name):
    while not any(t.name == name for t in threading.enumerate()):
        time.sleep(0.01)
"""
TSNE = """
import numpy as np
from genlib import background
from genlib.explore.projection import TSNE
from genlib.ui.latents.latent_map import flow
def map_of(points):  # the first is done soon, the second is at work at the end
    codes = np.random.default_rng(0).normal(size=(points, 20)).astype(np.float32)
    work = lambda job: flow.optimise(job, TSNE(codes, 30, 0))
    return background.request(f"map {points}", work, flow.PLACES, watcher="me")
first, second = map_of(100), map_of(600)
while first.result is None:
    time.sleep(0.01)
"""
GALLERY = """
from genlib.ui.start import gallery
job = gallery.drawn(gallery.shipped())
while not (job.result and job.result.pictures):
    time.sleep(0.01)
"""
HOUSE = """
from genlib import background
from genlib.ui.kit import server
background.start(server.keep_house, "genlib-housekeeping", polite=False)
wait("genlib-housekeeping")
"""
DECODING = """
import numpy as np, os, pathlib
from PIL import Image
folder = pathlib.Path(os.environ["GENLIB_RUNS"]) / "pictures"
folder.mkdir()
image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (900, 900, 3), np.uint8))
image.save(folder / "0.png")
for n in range(1, 600):
    os.link(folder / "0.png", folder / f"{n}.png")
from genlib import background
from genlib.data.pictures import registry as folders_shelf
from genlib.ui.train import dataset
job = dataset.decode(folders_shelf.register(folder, 64).name)
while not job.text:
    time.sleep(0.01)
background.end_all()  # as the app does; Python's own end would first decode what is queued
print(job.state)
"""
ASCENT = """
import torch
from genlib.explore.attended import PLACES, Attended
class Climb(Attended):
    steps = 0
    x = torch.ones(400, 400)
    def go_on(self):
        self.x = torch.tanh(self.x @ self.x)
        self.steps += 1
climb = Climb(PLACES)
climb.running = True
climb.beat()
while climb.steps < 3:
    time.sleep(0.01)
"""
JOB = """
import torch
from genlib import background
def work(job):
    x = torch.ones(400, 400)
    while True:
        x = torch.tanh(x @ x)
        job.report(0.5)
made = [background.request(f"job {n}", work) for n in range(3)]
while made[0].share == 0:
    time.sleep(0.01)
"""
MEASURE = """
from genlib.store.checkpoint import peek
from genlib.environment import shipped_dir
from genlib.ui.kit import likelihoods as likelihood_data
job = likelihood_data.start(peek(shipped_dir() / "vae-20.safetensors"), "iwae_bound", 10_000)
while job.share == 0 and job.busy:
    time.sleep(0.01)
"""


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    "script",
    [TSNE, GALLERY, HOUSE, DECODING, ASCENT, JOB, MEASURE],
    ids=["tsne", "gallery", "housekeeping", "decoding", "ascent", "jobs", "measuring"],
)
def test_no_thread_outlives_the_program(script: str, tmp_path: Path) -> None:
    env = {**os.environ, "GENLIB_RUNS": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", LEFT + script], capture_output=True, text=True, env=env, timeout=300
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.splitlines()[-1] == "left: []"
    assert "Error" not in ended.stderr


def test_threads_are_started_in_one_place() -> None:
    """Whoever starts one elsewhere has to end it as well."""
    found = []
    for path in (ROOT / "genlib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute | ast.Name):
                name = node.attr if isinstance(node, ast.Attribute) else node.id
                if name in ("Thread", "Timer", "start_new_thread"):
                    found.append(path.relative_to(ROOT).as_posix())
    assert set(found) == {"genlib/background.py"}


@pytest.mark.usefixtures("shipped")
def test_ctrl_c_ends_the_app_during_a_tsne(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    env = {**os.environ, "GENLIB_RUNS": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    log = tmp_path / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*command, "--server.headless", "true"], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    try:
        wait_until_healthy(server, port)
        watch_a_tsne(port)
        server.send_signal(signal.SIGINT)
        status = server.wait(timeout=60)
    finally:
        server.kill()
        server.wait()
    said = log.read_text()
    assert status == 0, said
    assert not any(word in said for word in ("terminate", "Abort", "Traceback", "Error")), said


def watch_a_tsne(port: int) -> None:
    """Open the latent map with a map that isn't stored, and stay until it is being optimised."""
    url = f"ws://127.0.0.1:{port}/_stcore/stream"
    with connect(url, subprotocols=["streamlit"], max_size=None) as client:
        request = BackMsg()
        request.rerun_script.page_name = "latent-map"
        request.rerun_script.query_string = "map.perplexity=41&map.points=5000"
        client.send(request.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(client.recv(timeout=60))
            if message.WhichOneof("type") == "script_finished":
                client.send(request.SerializeToString())
            if "t-SNE optimises" in str(message):
                return
