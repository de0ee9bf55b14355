"""Limits: clear sentences at the edge, nothing written beyond it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from genlib import environment
from genlib.data.pictures import registry
from genlib.environment import LimitError
from genlib.runs import queue, worker
from genlib.runs.directory import Run, RunSpec
from genlib.runs.worker import RESERVED, work
from genlib.settings import Control, Event
from genlib.store.checkpoint import peek
from genlib.ui.train.upload import keep

pytestmark = pytest.mark.usefixtures("no_runs")

SPEC = RunSpec("autoencoder", "digits", {}, {"epochs": 1})


def test_bad_values_count_as_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("many", "-1", "nan", "inf", ""):
        monkeypatch.setenv("GENLIB_MAX_QUEUE", text)
        assert environment.limit("GENLIB_MAX_QUEUE") == 20
    monkeypatch.setenv("GENLIB_MAX_QUEUE", "0")
    assert environment.limit("GENLIB_MAX_QUEUE") == 0


def test_a_full_queue_takes_no_more(no_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_MAX_QUEUE", "2")
    for _ in range(2):
        queue.create(SPEC).set_status("queued", 1.0)
    queue.check_room(1)  # one may train at once, and none does: it wouldn't wait
    with pytest.raises(LimitError, match="The queue is full: 2 runs wait"):
        queue.check_room(2)
    stopped = queue.create(SPEC)
    stopped.set_status("queued", 2.0)
    before = sorted(no_runs.iterdir())
    monkeypatch.setenv("GENLIB_MAX_QUEUE", "1")
    with pytest.raises(LimitError, match="at most 1 may"):
        queue.start(SPEC)
    assert sorted(no_runs.iterdir()) == before, "nothing is left of it"


def test_a_visitor_has_only_so_many_unfinished_runs(
    no_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_MAX_OWN_RUNS", "2")
    mine = [queue.create(SPEC) for _ in range(3)]
    for number, run in enumerate(mine[:2]):
        run.set_owner("me")
        run.set_status("queued", 1.0 + number)
    before = sorted(no_runs.iterdir())
    for attempt in (lambda: queue.start(SPEC, "me"), lambda: queue.resume_run(mine[2], "me")):
        with pytest.raises(LimitError, match="You have 2 runs that aren't finished, and at most 2"):
            attempt()
    assert sorted(no_runs.iterdir()) == before, "nothing is left of it"
    assert mine[2].state == "stopped" and not mine[2].owner
    queue.check_room(2, "another")
    queue.check_room(3)  # from the command line: nobody's
    with pytest.raises(LimitError, match="so 3 more can't be started"):
        queue.check_room(3, "another")
    for ended in ("finished", "stopped", "failed", "running"):  # no process works on it: it is lost
        mine[0].set_status(ended, 3.0)
        queue.check_room(1, "me")
    assert queue.unfinished("me") == [mine[1]]


@pytest.mark.usefixtures("nothing_starts")
def test_starts_at_the_same_moment_stay_below_the_limit(
    no_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_MAX_OWN_RUNS", "3")
    stopped = queue.create(SPEC)
    together = Barrier(8)

    def start(number: int) -> bool:
        together.wait()
        try:
            queue.resume_run(stopped, "me") if number % 2 else queue.start(SPEC, "me")
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, range(8))) == 3
    assert len(queue.unfinished("me")) == 3


@pytest.mark.usefixtures("nothing_starts")
def test_wishes_at_the_same_moment_are_all_kept(no_runs: Path) -> None:
    run = queue.create(SPEC)
    together = Barrier(3)
    wishes = (queue.pause, queue.stop, lambda run: queue.set_lr(run, 0.01))

    def wish(asked: Callable[[Run], None]) -> None:
        together.wait()
        asked(run)

    with ThreadPoolExecutor(3) as pool:
        for _ in range(40):
            run.set_control(Control())
            list(pool.map(wish, wishes))
            assert run.control == Control(pause=True, stop=True, lr=0.01)


def test_a_wish_for_a_deleted_run_leaves_nothing_behind(no_runs: Path) -> None:
    run = queue.create(SPEC)
    queue.delete(run)
    with pytest.raises(FileNotFoundError):
        queue.pause(run)
    assert not run.path.exists()


def test_an_odd_file_of_the_owner_does_no_harm(no_runs: Path) -> None:
    run = queue.create(SPEC)
    assert run.owner == ""
    run.set_owner("a" * 1000)
    assert len(run.owner) == 100
    (run.path / "owner").write_bytes(bytes(range(256)) * 10_000)
    assert len(run.owner) == 100 and queue.unfinished("me") == []


def test_a_full_disk_takes_no_more(no_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_MIN_FREE", "1e9")
    for attempt in (
        lambda: queue.start(SPEC),
        lambda: keep(b"abc", "a.safetensors"),
        lambda: registry.keep_zip(b"abc", "a.zip"),
    ):
        with pytest.raises(LimitError, match="The disk is nearly full"):
            attempt()
    assert not no_runs.exists()


def test_runs_and_uploads_share_a_quota(no_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (no_runs / "uploads").mkdir(parents=True)
    (no_runs / "uploads" / "a").write_bytes(bytes(3000))
    (no_runs / "b").symlink_to("uploads/a")
    assert 3000 <= environment.used_by(no_runs) < 3100, "a link is not what it points to"
    monkeypatch.setenv("GENLIB_MAX_DISK", "0.000005")
    environment.check_disk(no_runs, 1000)
    with pytest.raises(LimitError, match="Runs and uploads take"):
        environment.check_disk(no_runs, 3000)
    with pytest.raises(LimitError, match="Runs and uploads take"):
        keep(bytes(3000), "a.safetensors")


def long(epochs: int, snapshots: tuple[int, ...] = ()) -> RunSpec:
    """784-8-784 on 64 digits: an epoch takes some hundredths of a second."""
    train = {"epochs": epochs, "limit": 64, "precision": "float32", "threads": 1}
    return RunSpec("autoencoder", "digits", {"latent_dim": 8}, train, snapshots=snapshots)


def test_a_training_keeps_the_quota(no_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of epochs that are much shorter than the time between two counts of the files."""
    work(first := queue.create(long(1, (1,))), lambda event: None)
    one, snapshot = environment.used_by(no_runs), (first.path / "model.safetensors").stat().st_size
    most = 2 * one + RESERVED + snapshot // 2
    monkeypatch.setenv("GENLIB_MAX_DISK", str(most / environment.GB))
    run = queue.create(long(5, (1, 2, 3)))
    with pytest.raises(LimitError, match="Runs and uploads take"):
        work(run, lambda event: None)
    assert run.state == "failed"
    assert run.message.endswith("Resume then goes on from the last complete epoch.")
    assert run.model and peek(run.model).epoch == 1
    assert environment.used_by(no_runs) < most
    with pytest.raises(LimitError):
        work(run, lambda event: None)
    assert peek(run.model).epoch == 1
    monkeypatch.delenv("GENLIB_MAX_DISK")
    assert work(run, lambda event: None) == "finished"
    assert [epoch for epoch, _ in peek(run.model).snapshots] == [1, 2, 3, 5]


def test_a_training_notices_what_others_take(
    no_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "COUNT_S", 0.0)
    monkeypatch.setattr(worker, "COUNT_SHARE", float("inf"))
    run = queue.create(long(5))

    def upload(event: Event) -> None:
        if event.epoch == 2:
            (no_runs / "uploads").mkdir()
            (no_runs / "uploads" / "a").write_bytes(bytes(2_000_000))

    monkeypatch.setenv("GENLIB_MAX_DISK", "0.002")
    with pytest.raises(LimitError, match="Runs and uploads take"):
        work(run, upload)
    assert run.model and peek(run.model).epoch == 2


def test_short_epochs_count_the_files_once(no_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    count = environment.used_by

    def counted(folder: Path) -> int:
        counts.append(folder)
        return count(folder)

    monkeypatch.setattr(environment, "used_by", counted)
    monkeypatch.setattr(worker, "COUNT_S", 3600.0)
    run = queue.create(long(20))
    assert work(run, lambda event: None) == "finished"
    assert counts == [no_runs]
    counts.clear()
    elsewhere = queue.create(long(1), no_runs.parent / "elsewhere")
    assert work(elsewhere, lambda event: None) == "finished"
    assert counts == [], "it takes nothing of what visitors share"


def test_memory_and_jobs_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    environment.check_memory(0, 1_000_000_000)
    with pytest.raises(LimitError, match="Try again in a few minutes"):
        environment.check_memory(600_000_000, 500_000_000)
    environment.check_jobs(2)
    with pytest.raises(LimitError, match="3 calculations under way"):
        environment.check_jobs(3)
