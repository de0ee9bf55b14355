"""Run directories that somebody edited: skipped with a line in the log; the queue goes on."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from genlib.files import take
from genlib.runs import launch, queue, sweep
from genlib.runs.directory import LR_RANGE, Run, RunSpec
from genlib.runs.launch import Launch
from genlib.runs.launchers import here
from genlib.settings import Control
from genlib.store import checkpoint

NESTED = "[" * 100_000
TRAIN = {"limit": 256, "batch_size": 64, "epochs": 1, "precision": "float32", "threads": 1}

SPEC: dict[str, object] = {
    "created null": {"created": None},
    "created text": {"created": "now"},
    "created in the year 3e300": {"created": 3e300},
    "created true": {"created": True},
    "created negative": {"created": -1},
    "snapshots 5": {"snapshots": 5},
    "snapshots of text": {"snapshots": ["a"]},
    "snapshots of huge numbers": {"snapshots": [10**40]},
    "family list": {"family": []},
    "family with half a character": {"family": "\ud800"},
    "dataset number": {"dataset": 3},
    "name number": {"name": 3},
    "name list": {"name": ["a"]},
    "name with control characters": {"name": "a\x00b"},
    "name of 100,000 characters": {"name": "a" * 100_000},
    "recipe null": {"recipe": None},
    "sweep object": {"sweep": {}},
    "model null": {"model": None},
    "model nested": {"model": {"latent_dim": {"a": {}}}},
    "model with a huge number": {"model": {"latent_dim": 10**400}},
    "train list": {"train": []},
    "train of wrong types": {"train": {"epochs": "many"}},
    "train unknown": {"train": {"what": 1}},
    "unknown entry": {"odd": 1},
}
STATUS: dict[str, object] = {
    "empty": {},
    "unknown state": {"state": "dancing", "since": 0.0, "message": ""},
    "state list": {"state": ["queued"], "since": 0.0, "message": ""},
    "state object": {"state": {"a": 1}, "since": 0.0, "message": ""},
    "since null": {"state": "queued", "since": None, "message": ""},
    "since text": {"state": "queued", "since": "soon", "message": ""},
    "since infinite": {"state": "queued", "since": float("inf"), "message": ""},
    "since not a number": {"state": "queued", "since": float("nan"), "message": ""},
    "message list": {"state": "queued", "since": 0.0, "message": [1]},
}
RAW = ["", "{", "[1]", "null", "3", NESTED, '{"a":' * 100_000, "\udcff", " " * 2_000_000 + "{}"]


def make(state: str = "queued") -> Run:
    run = queue.create(RunSpec("autoencoder", "digits", {"latent_dim": 2}, TRAIN))
    run.set_status(state, time.time())
    return run


def change(run: Run, file: str, values: object) -> None:
    old = json.loads((run.path / file).read_text())
    new = {**old, **values} if isinstance(values, dict) and values else values
    (run.path / file).write_text(json.dumps(new))


def check_skipped(bad: Run, caplog: pytest.LogCaptureFixture) -> None:
    good = make()
    with caplog.at_level(logging.WARNING):
        assert [run.id for run in queue.listing()] == [good.id]
        assert [run.id for run in queue.queue()] == [good.id]
        assert queue.get(bad.id) is None and queue.place(good) == 1
        queue.listing()
    said = [r.getMessage() for r in caplog.records if bad.id in r.getMessage()]
    assert len(said) == 1, "one line, however often the runs are listed"
    assert len(said[0]) < 600
    assert (bad.path / "run.json").exists(), "nothing is deleted"


@pytest.mark.parametrize("what", SPEC)
def test_a_run_json_that_describes_no_run(
    no_runs: Path, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    bad = make()
    change(bad, "run.json", SPEC[what])
    check_skipped(bad, caplog)


@pytest.mark.parametrize("what", STATUS)
def test_a_status_that_is_none(no_runs: Path, caplog: pytest.LogCaptureFixture, what: str) -> None:
    bad = make()
    change(bad, "status.json", STATUS[what])
    check_skipped(bad, caplog)


@pytest.mark.parametrize("file", ["run.json", "status.json"])
@pytest.mark.parametrize("text", RAW, ids=lambda text: f"{text[:6]!r} {len(text)}")
def test_files_that_hold_no_object(
    no_runs: Path, caplog: pytest.LogCaptureFixture, file: str, text: str
) -> None:
    bad = make()
    (bad.path / file).write_bytes(text.encode("utf-8", "surrogateescape"))
    check_skipped(bad, caplog)


@pytest.mark.parametrize("file", ["run.json", "status.json"])
@pytest.mark.parametrize("kind", [Path.mkdir, os.mkfifo])
def test_folders_and_pipes_in_the_place_of_files(
    no_runs: Path, caplog: pytest.LogCaptureFixture, file: str, kind: Callable[[Path], None]
) -> None:
    bad = make()
    (bad.path / file).unlink()
    kind(bad.path / file)
    good = make()
    assert [run.id for run in queue.queue()] == [good.id]


def test_a_run_without_a_status_is_stopped(no_runs: Path) -> None:
    run = make()
    (run.path / "status.json").unlink()
    assert [found.state for found in queue.listing()] == ["stopped"]


@pytest.mark.parametrize(
    "values",
    [
        *({"pause": "no"}, {"stop": 1}, {"stop": []}, {"lr": "x"}, {"lr": [1]}, {"lr": True}),
        *({"lr": float("nan")}, {"lr": 10**400}, {"lr": -1.0}, {"lr": 2 * LR_RANGE[1]}),
        *({}, [], NESTED),
    ],
    ids=lambda values: str(values)[:30],
)
def test_wishes_of_wrong_types_are_none(no_runs: Path, values: object) -> None:
    run = make()
    text = values if isinstance(values, str) else json.dumps(values)
    (run.path / "control.json").write_text(text)
    assert run.control == Control()


def test_the_queue_goes_on_past_a_run_that_cannot_be_started(no_runs: Path) -> None:
    bad, good = make(), make()
    (bad.path / "lock").mkdir()
    assert [run.id for run in queue.advance()] == [good.id]
    good.set_control(Control(stop=True))
    end = time.monotonic() + 120
    while good.state in ("running", "paused") and time.monotonic() < end:
        time.sleep(0.05)
    assert good.state in ("stopped", "finished") and bad.state == "queued"


def test_a_skipped_run_whose_process_lives_still_takes_its_place(no_runs: Path) -> None:
    bad, good = make("running"), make()
    lock = take(bad.lock)
    assert lock is not None
    change(bad, "status.json", {})
    try:
        assert queue.advance() == [] and good.state == "queued"
    finally:
        os.close(lock)


def test_odd_names_of_previews_are_left_out(no_runs: Path) -> None:
    run = make()
    (run.path / "previews").mkdir()
    for name in ("epoch-x.npy", "epoch--1.npy", "epoch-.npy", "epoch-0003.npy", "epoch-1.5.npy"):
        (run.path / "previews" / name).touch()
    assert [epoch for epoch, _ in run.previews()] == [3]


LAUNCH: dict[str, dict[str, object]] = {
    "launcher list": {"launcher": []},
    "launcher object": {"launcher": {}},
    "launcher unknown": {"launcher": "../here"},
    "job that is an option": {"job": "--user=root"},
    "job that is a path": {"job": "../1"},
    "job with a null": {"job": "1\0"},
    "job with half a character": {"job": "\ud800"},
    "options null": {"options": None},
    "options nested": {"options": {"minutes": {"a": []}}},
    "options huge": {"options": {"minutes": 10**400}},
    "tries true": {"tries": True},
    "at_once negative": {"at_once": -1},
}


@pytest.mark.parametrize("what", LAUNCH)
def test_a_launch_json_that_names_no_job_leaves_the_run_here(no_runs: Path, what: str) -> None:
    bad, good = make(), make()
    (bad.path / "launch.json").write_text(
        json.dumps({"launcher": "slurm", "job": "", "options": {}, **LAUNCH[what]})
    )
    assert launch.remembered(bad) == Launch()
    assert (queue.place(bad), queue.place(good), queue.working()) == (1, 2, 0)


SWEEP: dict[str, dict[str, object]] = {
    "varied number": {"varied": {"lr": 5}},
    "varied nothing": {"varied": {"lr": []}},
    "varied nested": {"varied": {"lr": [["1"]]}},
    "seeds none": {"seeds": 0},
    "seeds huge": {"seeds": 10**12},
    "seeds true": {"seeds": True},
    "launcher list": {"launcher": []},
    "launcher unknown": {"launcher": "../here"},
    "trials of text": {"trials": {"vae-1": "0"}},
    "pruned nested": {"pruned": [["vae-1"]]},
    "fixed number": {"fixed": {"epochs": 3}},
    "job nested": {"job": {"cpus": ["2"]}},
    "at_once negative": {"at_once": -3},
    "family with half a character": {"family": "\ud800"},
    "metric number": {"metric": 3},
}


@pytest.mark.parametrize("what", SWEEP)
def test_a_sweep_json_that_describes_no_sweep(no_runs: Path, what: str) -> None:
    one = sweep.SweepSpec("s", "vae", {"lr": ["1", "2"]}, trials={"vae-1": 0}, pruned=[])
    one.save()
    assert sweep.load("s") == one
    file = one.path / "sweep.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **SWEEP[what]}))
    with pytest.raises(ValueError, match=r"sweep\.json of s does not say what a sweep does"):
        sweep.load("s")


@pytest.mark.parametrize("file", ["owner", "beat", "pid", "log.txt"])
@pytest.mark.parametrize("kind", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_pipes_and_endless_files_are_not_read(
    no_runs: Path, file: str, kind: Callable[[Path], None]
) -> None:
    run = make()
    (run.path / file).unlink(missing_ok=True)
    kind(run.path / file)
    assert (run.owner, run.claimed, run.pid, here.log(run)) == ("", "", None, "")


def test_a_pipe_among_the_checkpoints_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").symlink_to("/dev/zero")
    (tmp_path / "c.safetensors").symlink_to("c.safetensors")
    assert checkpoint.listing(tmp_path) == []


def test_links_are_thrown_away_and_what_they_lead_to_stays(no_runs: Path, tmp_path: Path) -> None:
    run = make("stopped")
    elsewhere = tmp_path / "elsewhere"
    run.path.rename(elsewhere)
    run.path.symlink_to(elsewhere)
    queue.delete(run)
    run.path.symlink_to(elsewhere)
    queue.delete(run)  # there is one of that name in the trash
    odd = [no_runs / "loop", no_runs / "nowhere"]
    for link in odd:
        link.symlink_to(link.name)
        queue.to_trash(link)
    for _ in range(queue.TRASH_SIZE):
        queue.delete(make("stopped"))
    assert len(list((no_runs / queue.TRASH).iterdir())) == queue.TRASH_SIZE
    assert (elsewhere / "run.json").exists()


@pytest.mark.parametrize("values", [{"name": "a" * 300}, {"snapshots": [-1]}, {"sweep": "\x00"}])
def test_what_would_be_skipped_is_never_written(no_runs: Path, values: dict[str, object]) -> None:
    spec = RunSpec("autoencoder", "digits", train=TRAIN, **values)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"run\.json"):
        queue.create(spec)
    assert not list(no_runs.glob("*")), "a failed start leaves no directory"
    run = make()
    with pytest.raises(ValueError, match="printable"):
        queue.rename(run, "a\x00b")
    assert run.name == run.id
