"""The process that waits for a run: it trains what it is given, and is gone when unwanted."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from genlib.runs import queue
from genlib.runs.directory import RunSpec
from genlib.runs.launchers import here, spare
from tests.helpers import until

TRAIN = {"epochs": 1, "limit": 64, "precision": "float32", "threads": 1}
SPEC = RunSpec("autoencoder", "digits", {"latent_dim": 2}, TRAIN)
SLOW = 300.0  # seconds; it imports torch

pytestmark = pytest.mark.usefixtures("no_runs")


@pytest.fixture(autouse=True)
def nothing_waits_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(spare, "ANSWER_S", SLOW)  # a busy machine's process is not given up
    yield
    spare.drop()


def children() -> set[int]:
    """The processes that this one has started and that live, and theirs."""
    found: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat") as file:
                    state, parent = file.read().rpartition(")")[2].split()[:2]
            except OSError:
                continue  # it has ended meanwhile
            if state != "Z":
                found[int(name)] = int(parent)
    ours = {os.getpid()}
    while more := {pid for pid, parent in found.items() if parent in ours} - ours:
        ours |= more
    return ours - {os.getpid()}


def waiting() -> None:
    here.warm()
    until(spare.is_ready, SLOW)


def test_a_run_is_trained_by_the_process_that_waited() -> None:
    before = children()
    waiting()
    warm = children() - before
    assert len(warm) == 2, "one that trains, and one that waits for it"
    run = queue.start(SPEC)
    assert not spare.is_ready(), "it is given away"
    until(lambda: run.state == "finished", SLOW)
    assert run.pid in warm
    assert "epoch 1" in (run.path / "log.txt").read_text()
    until(lambda: not run.alive, SLOW)
    until(lambda: not warm & children(), SLOW)


def test_there_is_never_more_than_one() -> None:
    before = children()
    waiting()
    first = children() - before
    here.warm()
    assert children() - before == first


def test_it_ends_when_nobody_asks_for_it_any_more() -> None:
    before = children()
    spare.keep(here.command(), here.environment_of_runs(), patience_s=0.1)
    until(lambda: bool(children() - before), SLOW)
    until(lambda: not children() - before, SLOW)
    assert not spare.is_ready()
    run = queue.start(SPEC)  # by a new process
    until(lambda: run.state == "finished", SLOW)


def test_another_environment_needs_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting()
    monkeypatch.setenv("GENLIB_THREADS", "2")
    assert not spare.is_ready()


def test_what_an_import_of_the_server_sets_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = children()
    waiting()
    first = children() - before
    monkeypatch.setenv("KMP_INIT_AT_FORK", "TRUE")
    assert spare.is_ready()
    here.warm()
    assert children() - before == first


def test_it_ends_with_the_server() -> None:
    """Whatever ends the server closes its end of the socket."""
    before = children()
    read, write = os.pipe()
    server = os.fork()
    if server == 0:
        here.warm()
        os.write(write, b"x")
        os._exit(0)  # without a word
    os.read(read, 1)
    os.waitpid(server, 0)
    for end in (read, write):
        os.close(end)
    until(lambda: not [pid for pid in _spares() if pid not in before], SLOW)


def _spares() -> list[int]:
    """All processes that wait for a run, whoever started them."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                with open(f"/proc/{name}/environ", "rb") as file:
                    ours = f"GENLIB_RUNS={os.environ['GENLIB_RUNS']}".encode() in file.read()
            except OSError:
                continue
            if b"--spare" in words and ours:
                found.append(int(name))
    return found
