"""A full disk is said in its own words, wherever something is written."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genlib.data import datasets
from genlib.environment import DiskFullError, uploads_dir
from genlib.files import write_bytes, write_json
from genlib.runs import events, queue
from genlib.runs.directory import Run, RunSpec
from genlib.runs.worker import work
from genlib.settings import Event
from genlib.store import checkpoint
from genlib.training import loop
from genlib.ui.train.upload import keep, kept

TRAIN = {"epochs": 3, "limit": 64, "batch_size": 32, "precision": "float32", "threads": 1}
FULL = Path("/dev/full")  # every write to it finds a full disk

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of runs."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    return tmp_path


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 900 kB with nothing but an empty folder of runs on it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=900k", "none", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only an administrator can mount a small disk")
    monkeypatch.setenv("GENLIB_RUNS", str(disk / "runs"))
    monkeypatch.setenv("GENLIB_MIN_FREE", "0")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Write a file that takes all that is left."""
    path = disk / "ballast"
    with path.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return path


def spec(**train: object) -> RunSpec:
    return RunSpec("autoencoder", "digits", {"latent_dim": 2}, {**TRAIN, **train})


def test_a_run_whose_event_log_finds_no_room_says_that_the_disk_is_full() -> None:
    run = queue.create(spec())
    (run.path / "events.jsonl").symlink_to(FULL)
    with pytest.raises(DiskFullError, match=r"The disk is full: events\.jsonl"):
        work(run, lambda event: None)
    assert run.state == "failed"
    assert run.message.startswith("The disk is full, so the training stopped.")
    assert "unexpected" not in run.message


def test_appending_and_replacing_name_the_file(small_disk: Path) -> None:
    with pytest.raises(DiskFullError, match=r"events\.jsonl could not be written"):
        events.append(_log(small_disk), Event("step"))
    fill(small_disk)
    for write in (
        lambda: write_bytes(small_disk / "a.bin", b"x" * 5000),
        lambda: write_json(small_disk / "a.json", {"a": "x" * 5000}),
    ):
        with pytest.raises(DiskFullError, match="Delete runs or uploads"):
            write()
    assert not [p.name for p in small_disk.iterdir() if p.name.startswith("a.")]


def _log(folder: Path) -> Path:
    path = folder / "events.jsonl"
    path.symlink_to(FULL)
    return path


def test_a_disk_that_fills_up_during_the_training_can_still_be_told(small_disk: Path) -> None:
    """The reserve in the run's directory makes room for the last words."""
    run = queue.create(spec())
    ballast: list[Path] = []

    def watch(event: Event) -> None:
        if event.kind == "epoch" and not ballast:
            ballast.append(fill(small_disk))

    with pytest.raises(DiskFullError):
        work(run, watch)
    assert (run.state, run.message[:20]) == ("failed", "The disk is full, so")
    kept = checkpoint.peek(run.path / "model.safetensors").epoch
    ballast[0].unlink()
    assert work(Run(run.path), lambda event: None) == "finished"
    assert kept >= 1 and checkpoint.peek(run.path / "model.safetensors").epoch == 3
    assert not (run.path / "reserve").exists()


def test_a_start_without_room_leaves_nothing_behind(small_disk: Path) -> None:
    queue.folder().mkdir()
    fill(small_disk)
    with pytest.raises(DiskFullError):
        queue.create(spec())
    assert list(queue.folder().iterdir()) == []


def test_an_upload_without_room_is_refused_in_words(small_disk: Path, tmp_path: Path) -> None:
    model = loop.build("autoencoder", {"latent_dim": 2}, datasets.load("digits"), 0)
    path = tmp_path / "a.safetensors"
    checkpoint.save(path, model, dataset="digits", seed=0, epoch=1)
    uploads_dir().mkdir(parents=True)
    fill(small_disk)
    with pytest.raises(ValueError, match=r"disk is (nearly )?full"):
        keep(path.read_bytes(), "a.safetensors")
    assert kept() == []


def test_the_command_line_says_it_in_one_sentence(small_disk: Path) -> None:
    queue.folder().mkdir()
    fill(small_disk)
    command = [sys.executable, "-m", "genlib", "train", "autoencoder", "--dataset", "digits"]
    ended = subprocess.run([*command, "--epochs", "1"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("genlib: The disk is full")
    assert ended.stderr.count("\n") == 1
