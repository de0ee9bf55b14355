"""Files are whole: killed writers leave nothing that stays, and renames last through a crash."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
import time
from pathlib import Path

import pytest
import torch

from genlib import files
from genlib.explore.ascent import weights
from genlib.files import read_json, write_json
from genlib.runs import queue
from genlib.store import checkpoint
from genlib.store.tensorfile import write_tensors


def writer_in_the_middle(path: Path) -> int:
    """A process that has written half of ``path`` and hangs there; returns its number."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with files.staged(path) as new:
            new.write_bytes(b"half")
            os.write(tell, b"!")
            signal.pause()
        os._exit(0)
    os.read(ready, 1)
    os.close(ready)
    os.close(tell)
    return child


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_next_write_sweeps_what_a_killed_writer_left_and_no_living_one(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    write_json(path, {"a": 1})
    alive, dead = writer_in_the_middle(path), writer_in_the_middle(path)
    try:
        assert len(names(tmp_path)) == 3
        kill(dead)
        assert read_json(path) == {"a": 1}, "half a file is never seen"
        write_json(tmp_path / "other.json", {"b": 2})
        left = [name for name in names(tmp_path) if name.endswith(files.SUFFIX)]
        assert len(left) == 1, "the living writer's work is left alone"
    finally:
        kill(alive)
    write_json(path, {"a": 3})
    assert names(tmp_path) == ["other.json", "status.json"]


def test_a_sweep_spares_what_another_machine_writes_for_a_day(tmp_path: Path) -> None:
    """Its lock may not be seen from here: on NFS those of folders never leave a machine."""
    mine, other = files.tag(files.machine()), files.tag("f3a1@elsewhere")
    names_of = {who: f".status.json.{who}.k3x9q2wz{files.SUFFIX}" for who in (mine, other)}
    long_ago, old = time.time() - files.SPARED_S - 60, f".old.{other}.a1b2c3d4{files.SUFFIX}"
    for name in (*names_of.values(), old, f".odd.a1b2c3d4{files.SUFFIX}"):
        (tmp_path / name).mkdir()
        (tmp_path / name / files.STAGED).write_bytes(b"half")
        if name not in names_of.values():
            os.utime(tmp_path / name, (long_ago, long_ago))
    write_json(tmp_path / "status.json", {})
    assert names(tmp_path) == [names_of[other], "status.json"]
    assert (tmp_path / names_of[other] / files.STAGED).read_bytes() == b"half"


def test_a_temporary_folder_says_which_machine_writes(tmp_path: Path) -> None:
    with files.staged(tmp_path / "a") as new:
        assert f".{files.tag(files.machine())}." in new.parent.name
        new.touch()


def test_a_sweep_of_another_process_harms_no_writer_that_is_about_to_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, make = [], tempfile.mkdtemp

    def swept_at_first(**where: str) -> str:
        made.append(make(**where))
        if len(made) == 1:
            files.sweep(tmp_path)
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", swept_at_first)
    write_json(tmp_path / "a.json", {"a": 1})
    assert len(made) == 2 and read_json(tmp_path / "a.json") == {"a": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_tidy_sweeps_every_run_the_uploads_and_the_trash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path))
    places = [tmp_path / name for name in ("vae-1", "vae-1/snapshots", "uploads", ".trash/gan-1")]
    for place in places:
        place.mkdir(parents=True)
        kill(writer_in_the_middle(place / "model.safetensors"))
    assert all(names(place) for place in places)
    queue.tidy()
    assert [names(place) for place in places] == [["snapshots"], [], [], []]


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write_bytes(path, b"old")
    with pytest.raises(RuntimeError), files.staged(path) as new:
        new.write_bytes(b"new")
        raise RuntimeError
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a"]


@pytest.mark.parametrize("what", ["json", "tensors", "weights", "move"])
def test_the_folder_is_flushed_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Without this a power cut may bring the old file back, or neither."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append("flush folder" if is_folder else "flush file")
        fsync(descriptor)

    def noted_replace(source: str | Path, target: str | Path) -> None:
        done.append("rename")
        replace(source, target)

    (tmp_path / "old").touch()
    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    path = tmp_path / "new"
    {
        "json": lambda: write_json(path, {}),
        "tensors": lambda: write_tensors(path, {"a": torch.zeros(1)}, {}),
        "weights": lambda: weights.write(path, iter([b"x"])),
        "move": lambda: files.move(tmp_path / "old", path),
    }[what]()
    assert done == [*([] if what == "move" else ["flush file"]), "rename", "flush folder"]
    assert names(tmp_path) == (["new"] if what == "move" else ["new", "old"])


def test_checkpoints_are_swept_too(tmp_path: Path, shipped: Path) -> None:
    kill(writer_in_the_middle(tmp_path / "vae.safetensors"))
    info = checkpoint.peek(next(iter(sorted(shipped.glob("*.safetensors")))))
    model = checkpoint.load(info)
    checkpoint.save(
        tmp_path / "other.safetensors", model, name="o", dataset="digits", seed=0, epoch=1
    )
    assert names(tmp_path) == ["other.safetensors"]
