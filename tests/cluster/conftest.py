"""Real parts: a Ray head of two CPUs on this machine, and runs that are small but real.

Only ``make test-cluster`` collects this folder: it installs the extras that these tests need.
"""

from __future__ import annotations

import ctypes
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genlib.runs import clusters, queue
from genlib.runs.directory import Run, RunSpec
from genlib.runs.launch import LaunchError
from genlib.runs.launchers import ray as launcher
from tests.helpers import until

MINUTES = 600.0  # seconds, for what takes some on a quiet machine
TRAIN = {"limit": 256, "batch_size": 64, "precision": "float32", "threads": 1}


def tiny(epochs: int = 2, **train: object) -> RunSpec:
    """784-2-784 on 256 digits: an epoch takes some hundredths of a second."""
    return RunSpec("autoencoder", "digits", {"latent_dim": 2}, {**TRAIN, "epochs": epochs, **train})


def lasting(**train: object) -> RunSpec:
    """The same on all digits in pairs, for minutes: no machine ends it before its test does."""
    return tiny(1000, limit=0, batch_size=2, **train)


def epochs(run: Run) -> list[int]:
    """The complete epochs in a run's log, lost ones included."""
    return [event.epoch for event in run.events()[0] if event.kind == "epoch"]


def advancing(holds: Callable[[], object], seconds: float = 300.0) -> None:
    """Wait until ``holds()``, looking after the queue as a page or a sweep does."""
    until(lambda: holds() or (queue.advance(), False)[1], seconds)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of runs; whatever still trains in it afterwards is ended."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("GENLIB_MAX_RUNS", "1")  # restored afterwards, whatever --max sets
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "runs").mkdir()
    yield tmp_path / "runs"
    for run in reversed(queue.listing()):
        queue.stop(run)
    for run in queue.listing():
        until(lambda run=run: not run.alive)


class Head:
    """A Ray head that can be stopped; its processes are those of its own session.

    Several can work on one machine, of other checkouts say: every port is a free one.
    """

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = 0, folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, patch: pytest.MonkeyPatch | None = None) -> None:
        """Start it and wait until it takes jobs, at the same address as before. With ``patch`` it
        is a new one, and RAY_ADDRESS says where; should somebody be faster to take a port that was
        free, it takes others."""
        for left in reversed(range(3)):
            if patch:
                self.port = free_port()
                patch.setenv("RAY_ADDRESS", self.address)
            self._begin()
            until(lambda: self.ended or responds(), MINUTES)
            if not self.ended:
                return
            assert left, self.log()

    def _begin(self) -> None:
        command = [str(Path(sys.executable).parent / "ray"), "start", "--head", "--block"]
        command += ["--num-cpus", "2", "--include-dashboard", "true", "--disable-usage-stats"]
        command += ["--node-ip-address", "127.0.0.1", "--dashboard-host", "127.0.0.1"]
        command += ["--port", "0", "--dashboard-port", str(self.port)]
        command += ["--dashboard-agent-listen-port", str(free_port())]
        command += ["--ray-client-server-port", str(free_port()), "--min-worker-port", "0"]
        command += ["--max-worker-port", "0"]
        command += ["--object-store-memory", str(100_000_000), "--temp-dir", str(self.folder)]
        with (self.folder / "head.txt").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def log(self) -> str:
        return (self.folder / "head.txt").read_text(errors="replace")[-1000:]

    def stop(self) -> None:
        """End it and all that it started."""
        if self.process is not None:
            self.process.terminate()  # --block: it then ends what it started
            self.process.wait(MINUTES)
            self.process = None
        until(lambda: not responds())


def end_with_parent() -> None:
    """Have this process told to end when the one that started it does, however that happens."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def responds() -> bool:
    """Whether a head answers at RAY_ADDRESS."""
    try:
        launcher.check(launcher.Options())
    except LaunchError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def head() -> Iterator[Head]:
    """One Ray head for all tests."""
    # Ray's sockets have long names, and a socket's name has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        one = Head(folder)
        one.start(patch)
        yield one
        one.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def asked_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters are asked at once, also right after one didn't answer."""
    monkeypatch.setattr(clusters, "AFTER_TROUBLE_S", 0.5)
    monkeypatch.setattr(clusters, "EVERY_S", 0.2)
