"""Real parts: a Ray head of two CPUs on this machine, and runs that are small but real.

Only ``make test-cluster`` collects this folder: it installs the extras that these tests need.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genlib.runs import clusters, queue
from genlib.runs.directory import Run, RunSpec
from genlib.runs.launch import LaunchError
from genlib.runs.launchers import ray as launcher
from tests.helpers import until

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
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "runs").mkdir()
    yield tmp_path / "runs"
    for run in reversed(queue.listing()):
        queue.stop(run)
    for run in queue.listing():
        until(lambda run=run: not run.alive)


class Head:
    """A Ray head that can be stopped; its processes are those of its own session."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it takes jobs."""
        command = [str(Path(sys.executable).parent / "ray"), "start", "--head", "--block"]
        command += ["--num-cpus", "2", "--include-dashboard", "true", "--disable-usage-stats"]
        command += ["--node-ip-address", "127.0.0.1", "--dashboard-host", "127.0.0.1"]
        command += ["--port", str(free_port()), "--dashboard-port", str(self.port)]
        command += ["--dashboard-agent-listen-port", str(free_port())]
        command += ["--object-store-memory", str(100_000_000), "--temp-dir", str(self.folder)]
        # Its own limits, so that a job of a test isn't cut short by the tests' process.
        with (self.folder / "head.txt").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until(self.answers)

    def answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.log()
        return responds()

    def log(self) -> str:
        return (self.folder / "head.txt").read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        """End it and all that it started."""
        if self.process is not None:
            self.process.terminate()  # --block: it then ends what it started
            self.process.wait(60)
            self.process = None
        until(lambda: not responds())


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
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """One Ray head for all tests."""
    # Ray's sockets have long names, and a socket's name has at most 107 characters.
    folder = Path("/tmp") / f"ray-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        one = Head(free_port(), folder)
        patch.setenv("RAY_ADDRESS", one.address)
        one.start()
        yield one
        one.stop()


@pytest.fixture(autouse=True)
def asked_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters are asked at once, also right after one didn't answer."""
    monkeypatch.setattr(clusters, "AFTER_TROUBLE_S", 0.5)
    monkeypatch.setattr(clusters, "EVERY_S", 0.2)
