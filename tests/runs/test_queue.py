"""Runs: directories, processes, the queue; real training of tiny models on the embedded digits."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from genlib.data import datasets, mnist
from genlib.files import is_held, read_json, take, write_json
from genlib.runs import events, queue
from genlib.runs.directory import Run, RunSpec
from genlib.runs.worker import work
from genlib.settings import Control, Event
from genlib.store import checkpoint
from genlib.store.tensorfile import header, write_meta
from tests.helpers import until

TRAIN = {"limit": 256, "batch_size": 64, "precision": "float32", "threads": 1}


def tiny(epochs: int = 2, **train: object) -> RunSpec:
    """784-2-784 on 256 digits: an epoch takes some hundredths of a second."""
    settings = {**TRAIN, "epochs": epochs, **train}
    return RunSpec("autoencoder", "digits", {"latent_dim": 2}, settings)


def lasting(**train: object) -> RunSpec:
    """The same on all digits in pairs, for minutes: no machine ends it before its test does."""
    return tiny(1000, limit=0, batch_size=2, **train)


def epochs(run: Run) -> list[Event]:
    return [r for r in events.fold(run.events()[0]) if r.kind == "epoch"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of runs; whatever still trains in it afterwards is ended."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path))
    yield tmp_path
    for run in queue.listing():
        run.set_control(Control(stop=True))
        run.set_status("stopped", time.time())
    for run in queue.listing():
        until(lambda run=run: not run.alive)


# ------------------------------------------------------------------------- files and state


def test_a_lock_is_held_until_its_holder_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    child = os.fork()
    if child == 0:
        take(path)
        time.sleep(30)
        os._exit(0)
    until(lambda: is_held(path))
    assert take(path, patience=0) is None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not is_held(path)


def test_a_running_status_without_a_process_is_lost_whatever_the_pid_says(folder: Path) -> None:
    run = queue.create(tiny())
    (run.path / "pid").write_text(str(os.getpid()))  # a number that somebody else has now
    run.set_status("running", 0.0)
    assert run.state == "lost"
    lock = take(run.lock)
    assert lock is not None
    assert run.state == "running"
    os.close(lock)


def test_a_spec_survives_the_file_and_a_foreign_file_is_no_run(folder: Path) -> None:
    run = queue.create(tiny(epochs=7))
    assert run.spec.train["epochs"] == 7
    assert run.spec.model == {"latent_dim": 2}
    for name, text in {"a": "[1]", "b": "{", "c": '{"family": 3}', "d": '{"x": 1}'}.items():
        (folder / name).mkdir()
        (folder / name / "run.json").write_text(text)
    assert [found.id for found in queue.listing()] == [run.id]
    assert queue.get("../" + run.id) is None


def test_numbers_are_not_used_again_after_a_deletion_and_undo_brings_back(folder: Path) -> None:
    first = queue.create(tiny())
    queue.rename(first, "  my   first ")
    queue.delete(first)
    assert queue.listing() == []
    second = queue.create(tiny())
    assert second.id != first.id
    back = queue.undo_delete(first.id)
    assert back.name == "my first"
    assert {run.id for run in queue.listing()} == {first.id, second.id}
    with pytest.raises(ValueError, match="no longer in the trash"):
        queue.undo_delete("../../etc")


def test_a_run_keeps_its_new_name_whether_it_is_at_work_or_not(folder: Path) -> None:
    run = queue.create(tiny(2))

    def rename(event: Event) -> None:
        if event.epoch == 1:
            queue.rename(run, "at work")

    lock = take(run.lock)  # as the process that trains has it
    assert lock is not None
    assert work(run, rename) == "finished"
    assert run.model and checkpoint.peek(run.model).name == "at work"
    before = run.model.read_bytes()
    queue.rename(run, "still at work")
    assert run.model.read_bytes() == before, "the training alone writes its files"
    os.close(lock)
    queue.rename(run, "finished")
    assert checkpoint.peek(run.model).name == "finished" and not is_held(run.lock)


def test_no_training_begins_while_its_checkpoint_is_retitled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, retitle = queue.create(tiny(1)), checkpoint.retitle
    assert work(run, lambda event: None) == "finished"
    held: list[bool] = []

    def slow(path: Path, name: str) -> None:
        held.append(is_held(run.lock))
        retitle(path, name)

    monkeypatch.setattr(checkpoint, "retitle", slow)
    queue.rename(run, "new")
    assert held == [True]


@pytest.mark.parametrize("name", ["", " ", "x" * 61])
def test_names_have_bounds(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="1 to 60"):
        queue.rename(queue.create(tiny()), name)


def test_a_run_never_takes_the_name_of_a_shipped_checkpoint(folder: Path) -> None:
    """``vae-2`` and ``vae-20`` are shipped: links and pickers would not tell them apart."""
    spec = RunSpec("vae", "digits", {}, TRAIN)
    ids = [queue.create(spec).id for _ in range(20)]
    assert ids == [f"vae-{n}" for n in range(1, 23) if n not in (2, 20)]
    run = queue.get(ids[0])
    assert run is not None
    for name in ("vae-2", " VAE-2 ", "ae-30"):
        with pytest.raises(ValueError, match="name of a shipped checkpoint"):
            queue.rename(run, name)
        with pytest.raises(ValueError, match="name of a shipped checkpoint"):
            queue.create(replace(spec, name=name))
    with pytest.raises(ValueError, match="name of a shipped checkpoint"):
        queue.create(spec, folder / "vae-2")
    assert run.name == ids[0]
    assert len(queue.listing()) == 20
    queue.rename(run, "vae-200")
    assert run.name == "vae-200"


def test_lr_has_bounds_and_keeps_the_other_wishes(folder: Path) -> None:
    run = queue.create(tiny())
    queue.pause(run)
    queue.set_lr(run, 0.01)
    assert run.control == Control(pause=True, lr=0.01)
    with pytest.raises(ValueError, match="lr must be between"):
        queue.set_lr(run, 5.0)


def test_json_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


# ------------------------------------------------------------------------------- processes


def test_runs_train_one_after_the_other_and_the_last_one_needs_nobody(folder: Path) -> None:
    first, second = queue.start(tiny()), queue.start(tiny(seed=1))
    assert queue.place(first) == 0
    assert queue.place(second) == 1
    assert second.state == "queued"
    # Nobody calls advance() here: the first process starts the second when it ends.
    until(lambda: second.state == "finished")
    assert first.state == "finished"
    assert first.status.since <= second.status.since
    assert [r.epoch for r in epochs(first)] == [1, 2]
    assert {"train/loss", "test/loss"} <= epochs(first)[-1].metrics.keys()
    info = checkpoint.peek(second.path / "model.safetensors")
    assert (info.family, info.epoch, info.seed, info.dataset) == ("autoencoder", 2, 1, "digits")
    assert [epoch for epoch, _ in info.snapshots] == [0, 1, 2]
    assert [epoch for epoch, _ in first.previews()] == [0, 1, 2]


def test_pause_lr_stop_and_resume(folder: Path) -> None:
    run = queue.start(lasting())
    until(lambda: len(epochs(run)) >= 1)
    queue.pause(run)
    until(lambda: run.state == "paused")
    until(lambda: run.events()[1] == (time.sleep(0.4), run.events()[1])[1])
    held = len(epochs(run))
    queue.set_lr(run, 0.0123)
    queue.proceed(run)
    until(lambda: len(epochs(run)) > held + 1)
    assert run.state == "running"
    assert epochs(run)[-1].metrics["lr"] == pytest.approx(0.0123)
    with pytest.raises(ValueError, match="stop it first"):
        queue.delete(run)
    queue.stop(run)
    until(lambda: run.state == "stopped" and not run.alive)
    before = epochs(run)
    assert checkpoint.peek(run.path / "model.safetensors").epoch == before[-1].epoch

    queue.resume_run(run)
    until(lambda: len(epochs(run)) > len(before))
    after = epochs(run)
    assert [r.epoch for r in after] == list(range(1, len(after) + 1))
    assert after[: len(before)] == before
    assert all(a.step < b.step for a, b in itertools.pairwise(after))


def test_kill_loses_at_most_the_epoch_and_the_queue_goes_on(folder: Path) -> None:
    run, waiting = queue.start(lasting()), queue.start(tiny(1))
    until(lambda: len(epochs(run)) >= 3)
    assert run.pid is not None
    seen = len(epochs(run))
    os.kill(run.pid, signal.SIGKILL)
    until(lambda: run.state == "lost")
    until(lambda: waiting.state == "finished")
    assert "signal 9" in (run.path / "log.txt").read_text()

    queue.resume_run(run)
    until(lambda: run.state == "running" and len(epochs(run)) > seen)
    records, _ = run.events()
    went_on = [r for r in records if r.kind == "resume"][-1]
    assert went_on.epoch >= seen - 1
    curve = epochs(run)
    assert [r.epoch for r in curve] == list(range(1, len(curve) + 1))


def test_the_resumed_curve_is_the_uninterrupted_one(folder: Path) -> None:
    """Optimizer and random state come back: the same numbers as without the interruption."""
    whole, halves = queue.create(tiny(6)), queue.create(tiny(6))
    assert work(whole, lambda event: None) == "finished"

    def interrupt(event: Event) -> None:
        if event.epoch == 3:  # in the middle of the fourth, or at the end of the third
            halves.set_control(Control(stop=True))

    assert work(halves, interrupt) == "stopped"
    halves.set_control(Control())
    assert work(halves, lambda event: None) == "finished"
    a, b = ([r.metrics["train/loss"] for r in epochs(run)] for run in (whole, halves))
    assert len(a) == 6
    assert a == pytest.approx(b, rel=1e-5)


def flip(path: Path, at: int) -> None:
    """Change one byte of a file, counted from the end where ``at`` is negative."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(data)


def stopped_after_three(folder: Path) -> Run:
    run = queue.create(tiny(5))

    def interrupt(event: Event) -> None:
        if event.epoch == 3:
            run.set_control(Control(stop=True))

    assert work(run, interrupt) == "stopped"
    run.set_control(Control())
    return run


@pytest.mark.parametrize("at", [-1, -5000, "header", "cut", "gone"])
def test_a_damaged_state_is_noticed_and_the_weights_go_on(folder: Path, at: int | str) -> None:
    run = stopped_after_three(folder)
    before = epochs(run)
    if at == "header":  # a digit of the epoch's number
        at = run.state_file.read_bytes().index(b'epoch\\": ') + len(b'epoch\\": ')
    if at == "cut":
        run.state_file.write_bytes(run.state_file.read_bytes()[:-100])
    elif at == "gone":
        run.state_file.unlink()
    else:
        flip(run.state_file, int(at))
    damaged = None if at == "gone" else run.state_file.read_bytes()

    assert work(run, lambda event: None) == "finished"
    assert "resume.safetensors is" in run.message
    assert f"continued from the weights of epoch {before[-1].epoch}" in run.message
    assert epochs(run)[: len(before)] == before and epochs(run)[-1].epoch == 5
    aside = run.path / "resume.damaged"
    assert (aside.read_bytes() if aside.exists() else None) == damaged, "nothing is thrown away"


@pytest.mark.parametrize("lost", ["model.safetensors", "epoch-0002.safetensors"])
def test_an_epoch_whose_state_alone_was_written_is_made_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """A power cut between an epoch's state and its model, or between its model and its snapshot."""
    run, save = queue.create(tiny(2)), checkpoint.save

    def cut(path: Path, *args: object, epoch: int, **named: object) -> None:
        if epoch == 2 and path.name == lost:
            raise OSError("the power is cut")
        save(path, *args, epoch=epoch, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", cut)
        with pytest.raises(OSError, match="power"):
            work(run, lambda event: None)
    assert run.model and run.state == "failed"
    assert checkpoint.peek(run.model).epoch == (1 if lost == "model.safetensors" else 2)

    assert work(run, lambda event: None) == "finished"
    info = checkpoint.peek(run.model)
    assert info.epoch == 2 and [row["epoch"] for row in info.history] == [1, 2]
    snapshot = run.path / "snapshots" / "epoch-0002.safetensors"
    assert snapshot.read_bytes() == run.model.read_bytes()


def test_a_damaged_state_and_a_damaged_checkpoint_fall_back_on_a_snapshot(folder: Path) -> None:
    run = stopped_after_three(folder)
    kept = [path.name for path in run.trained()]
    assert kept == ["model.safetensors", "epoch-0002.safetensors", "epoch-0001.safetensors"]
    for path in (run.state_file, *run.trained()[:1]):
        path.write_bytes(path.read_bytes()[:-100])
    assert work(run, lambda event: None) == "finished"
    assert "continued from the weights of epoch 2" in run.message
    assert [r.epoch for r in epochs(run)] == [1, 2, 3, 4, 5]


def test_a_run_whose_every_file_is_damaged_fails_and_keeps_them(folder: Path) -> None:
    run = stopped_after_three(folder)
    for path in (run.state_file, *run.trained()):
        path.write_bytes(path.read_bytes()[:-100])
    kept = [path.read_bytes() for path in run.trained()]
    with pytest.raises(checkpoint.CheckpointError, match="Start a new run"):
        work(run, lambda event: None)
    assert run.state == "failed" and "Start a new run" in run.message
    assert [path.read_bytes() for path in run.trained()] == kept


def test_a_state_of_another_model_is_not_taken_for_damage(folder: Path) -> None:
    run = stopped_after_three(folder)
    values = read_json(run.path / "run.json")
    write_json(run.path / "run.json", {**values, "model": {"latent_dim": 3}})
    with pytest.raises(ValueError, match=r"undo the changes in run\.json"):
        work(run, lambda event: None)
    assert run.state_file.exists()


def write_mnist(folder: Path, images: int) -> Path:
    """MNIST's files with so many noisy images for training, and as many for the test."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    x = np.random.default_rng(0).integers(0, 256, (images, 28, 28), dtype=np.uint8)
    y = np.arange(images, dtype=np.uint8) % 10
    for name, values in zip(mnist.FILES, (x, y, x, y), strict=True):
        axes = b"".join(side.to_bytes(4, "big") for side in values.shape)
        (raw / name).write_bytes(bytes([0, 0, 8, values.ndim]) + axes + values.tobytes())
    return folder


@pytest.fixture
def look_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """A function that makes a folder the only place where MNIST is looked for."""

    def look(place: Path) -> None:
        monkeypatch.setattr(datasets, "folders", lambda: [place])
        datasets.known.cache_clear()

    yield look
    datasets.known.cache_clear()


def after_one_epoch(spec: RunSpec) -> Run:
    """The run, stopped when its first epoch was complete."""
    run = queue.create(spec)

    def interrupt(event: Event) -> None:
        if event.epoch == 1:
            run.ask(stop=True)

    assert work(run, interrupt) == "stopped"
    run.ask(stop=False)
    return run


def test_a_run_does_not_go_on_with_other_images(
    folder: Path, tmp_path: Path, look_in: Callable[[Path], None]
) -> None:
    few, more = write_mnist(tmp_path / ".few", 300), write_mnist(tmp_path / ".more", 301)
    look_in(few)
    run = after_one_epoch(replace(tiny(2), dataset="mnist"))
    assert run.model
    kept, log = run.model.read_bytes(), run.log.read_bytes()
    for place, others in ((tmp_path, "1,437 of digits"), (more, "301 of mnist")):
        look_in(place)
        with pytest.raises(ValueError, match=rf"300 training images of mnist, .* {others}"):
            work(run, lambda event: None)
        assert run.state == "failed" and "GENLIB_DATA" in run.message
        assert (run.model.read_bytes(), run.log.read_bytes()) == (kept, log)
    run.state_file.unlink()  # its checkpoint still says what it was trained on
    look_in(tmp_path)
    with pytest.raises(ValueError, match=r"trained on mnist, .* 1,437 of digits"):
        work(run, lambda event: None)
    look_in(few)
    assert work(run, lambda event: None) == "finished"


def test_a_run_on_what_serves_for_mnist_goes_on_with_it(
    folder: Path, tmp_path: Path, look_in: Callable[[Path], None]
) -> None:
    """Also once MNIST is there."""
    look_in(tmp_path)
    runs = [after_one_epoch(replace(tiny(2), dataset="mnist")) for _ in range(2)]
    assert work(runs[0], lambda event: None) == "finished"
    look_in(write_mnist(tmp_path / ".mnist", 300))
    assert work(runs[1], lambda event: None) == "finished"
    assert [checkpoint.peek(r.path / "model.safetensors").dataset for r in runs] == ["digits"] * 2
    assert epochs(runs[0])[-1].metrics["test/loss"] == epochs(runs[1])[-1].metrics["test/loss"]


def test_a_run_of_an_earlier_version_goes_on_with_the_images_of_its_checkpoint(
    folder: Path, tmp_path: Path, look_in: Callable[[Path], None]
) -> None:
    look_in(write_mnist(tmp_path / ".mnist", 300))
    run = after_one_epoch(replace(tiny(2), dataset="mnist"))
    text = cast(dict[str, str], header(run.state_file)["__metadata__"])["genlib"]
    known = ("kind", "epoch", "step", "seconds", "history")
    meta = {k: v for k, v in json.loads(text).items() if k in known}
    write_meta(run.state_file, meta, run.state_file.stat().st_mtime_ns)
    look_in(tmp_path)
    with pytest.raises(ValueError, match=r"trained on mnist, .* 1,437 of digits"):
        work(run, lambda event: None)
    look_in(tmp_path / ".mnist")
    assert work(run, lambda event: None) == "finished"
    assert run.message == ""


def test_a_run_that_cannot_train_says_why(folder: Path) -> None:
    run = queue.create(tiny(2, classes="0,11"))
    with pytest.raises(ValueError, match="class"):
        work(run, lambda event: None)
    assert run.state == "failed"
    assert "class '11' is not one of" in run.message


def test_only_a_run_that_never_took_a_step_is_discarded(folder: Path) -> None:
    started = queue.create(tiny(1))
    assert work(started, lambda event: None) == "finished"
    started.set_status("failed", time.time(), "the next epoch went wrong")
    assert not queue.discard_unstarted(started) and started.model
    waiting = queue.create(tiny(1))
    assert not queue.discard_unstarted(waiting) and waiting.path.exists()
    failed = queue.create(tiny(2, classes="0,11"), folder / "mine")
    with pytest.raises(ValueError, match="class"):
        work(failed, lambda event: None)
    assert queue.discard_unstarted(failed) and not failed.path.exists()


def test_stopping_a_waiting_run_takes_it_out_of_the_queue(folder: Path) -> None:
    first, second, third = (queue.start(lasting(seed=seed)) for seed in range(3))
    assert [run.id for run in queue.queue()] == [second.id, third.id]
    queue.stop(second)
    assert second.state == "stopped"
    assert queue.place(third) == 1
    queue.delete(third)
    assert queue.queue() == []
    assert first.state == "running"
