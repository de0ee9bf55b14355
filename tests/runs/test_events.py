"""A run's event log: read from an offset, torn by a crash, folded at a resume."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import IO, cast

import pytest

from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.runs import events
from genlib.runs.events import Log
from genlib.settings import Event
from genlib.store import checkpoint


def test_a_resume_drops_the_work_that_was_lost() -> None:
    seen = [Event("epoch", 10, 1), Event("step", 14, 1), Event("step", 18, 1)]
    folded = events.fold([Event("resume", 10, 1), Event("step", 12, 1)], seen)
    assert [(r.kind, r.step) for r in folded] == [("epoch", 10), ("resume", 10), ("step", 12)]


def test_the_diary_is_read_on_from_an_offset_and_survives_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events.append(path, Event("epoch", 1, 1, metrics={"test/loss": 2.0}))
    first, offset = events.read(path)
    assert [r.metrics for r in first] == [{"test/loss": 2.0}]
    with path.open("ab") as file:
        file.write(b'{"kind": "epo')
    assert events.read(path, offset) == ([], offset), "a torn line is left alone"
    events.append(path, Event("resume", 1, 1))
    then, _ = events.read(path, offset)
    assert [r.kind for r in then] == ["resume"], "the line after the torn one is not lost"


def test_curves_are_by_epoch_or_by_step() -> None:
    records = [Event("step", 5, 0, metrics={"a": 1.0}), Event("epoch", 9, 1, metrics={"a": 2.0})]
    assert events.curves(records) == {"a": [(1, 2.0)]}
    assert events.curves(records, "step") == {"a": [(5, 1.0)]}


ODD = [
    b"",
    b"{",
    b"null",
    b"3",
    b"[1, 2]",
    b'"text"',
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b"\xff\xfe",
    b'{"kind": 3}',
    b'{"kind": null}',
    b'{"kind": ["step"]}',
    b'{"kind": ""}',
    b'{"step": 3}',
    b'{"kind": "step", "step": "x"}',
    b'{"kind": "step", "step": null}',
    b'{"kind": "step", "step": -1}',
    b'{"kind": "step", "step": 1e3}',
    b'{"kind": "step", "epoch": true}',
    b'{"kind": "step", "step": 1' + b"0" * 5_000 + b"}",
    b'{"kind": "step", "time": "now"}',
    b'{"kind": "step", "time": NaN}',
    b'{"kind": "step", "time": 1' + b"0" * 400 + b"}",
    b'{"kind": "epoch", "metrics": 3}',
    b'{"kind": "epoch", "metrics": [1]}',
    b'{"kind": "epoch", "metrics": {"test/loss": "low"}}',
    b'{"kind": "epoch", "metrics": {"test/loss": null}}',
    b'{"kind": "epoch", "metrics": {"test/loss": [1]}}',
    b'{"kind": "epoch", "metrics": {"test/loss": Infinity}}',
    b'{"kind": "epoch", "metrics": {"test/\\ud800": 1}}',
    b'{"kind": "epoch", "odd": 1}',
    b'{"kind": "' + b"a" * 100_000 + b'"}',
]


@pytest.mark.parametrize("line", ODD, ids=lambda line: line[:48].decode(errors="replace"))
def test_an_odd_line_is_left_out_and_those_around_it_are_read(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "events.jsonl"
    good = [Event("epoch", n, n, metrics={"test/loss": 1.0 / n}) for n in (1, 2)]
    path.write_bytes(events.as_line(good[0]) + line + b"\n" + events.as_line(good[1]))
    records, offset = events.read(path)
    assert records == good and offset == path.stat().st_size
    assert Log(path).records() == good


# ------------------------------------------------------------------------- the log of a long run


def write_long(path: Path, epochs: int, steps: int, *, begin: int = 0) -> list[Event]:
    """A log of ``epochs`` with ``steps`` lines each, padded as a real line; returns the epochs."""
    whole = []
    padding = {f"train/term_{i}": 0.5 for i in range(8)}
    with path.open("ab") as file:
        for epoch in range(begin, begin + epochs):
            for step in range(epoch * steps, (epoch + 1) * steps):
                metrics = {"train/loss": 1.0 / (1 + step), **padding}
                file.write(events.as_line(Event("step", step, epoch, metrics=metrics)))
            metrics = {"test/loss": 1.0 / (epoch + 1), "steps": 1e6}
            whole.append(Event("epoch", (epoch + 1) * steps - 1, epoch + 1, metrics=metrics))
            file.write(events.as_line(whole[-1]))
    return whole


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of all parts read from logs."""
    sizes: list[int] = []
    open_ = Path.open

    class Counting(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(-1 if size is None else size) or b""
            sizes.append(len(data))
            return data

    def opened(path: Path, mode: str = "r", buffering: int = -1) -> IO[bytes] | IO[str]:
        if path.name == "events.jsonl" and mode == "rb":
            return cast(IO[bytes], Counting(path, "rb"))
        return open_(path, mode, buffering)

    monkeypatch.setattr(Path, "open", opened)
    return sizes


def test_a_long_log_costs_bounded_bytes_and_keeps_bounded_points(
    tmp_path: Path, counted: list[int]
) -> None:
    path = tmp_path / "events.jsonl"
    write_long(path, 40, 1000)
    size = path.stat().st_size
    assert size > 2 * events.MOST_BYTES
    log = Log(path)
    records = log.records()
    assert sum(counted) <= events.MOST_BYTES
    steps = [r.step for r in records if r.kind == "step"]
    assert 500 < len(steps) <= 2 * events.MOST_RECORDS
    assert steps == sorted(set(steps)) and steps[0] == 0 and steps[-1] == 39_999
    assert max(b - a for a, b in itertools.pairwise(steps)) < 40_000 / 200, "no hole in the curve"
    assert records[-1].epoch == 40, "the newest line is there"

    counted.clear()
    write_long(path, 1, 100, begin=400)
    added = path.stat().st_size - size
    records = log.records()
    assert sum(counted) == added, "only what was added is read"
    assert [r.step for r in records if r.kind == "step"][-1] == 40_099
    counted.clear()
    assert log.records() is records and sum(counted) == 0


def test_points_stay_bounded_and_even_however_long_one_watches(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = Log(path)
    for part in range(20):
        write_long(path, 1, 1000, begin=part)
        steps = [r.step for r in log.records() if r.kind == "step"]
        assert len(steps) <= 2 * events.MOST_RECORDS
    assert len(steps) >= events.MOST_RECORDS and steps[-1] == 19_999
    gaps = [b - a for a, b in itertools.pairwise(steps)]
    assert max(gaps) <= 4 * 20_000 / events.MOST_RECORDS


def test_the_epochs_between_two_samples_come_from_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    whole = write_long(path, 400, 100)
    assert path.stat().st_size > 2 * events.MOST_BYTES
    settings = AutoencoderSettings(latent_dim=2, hidden=(4,))
    history = [
        {"epoch": r.epoch, "step": r.step, "test/loss": r.metrics["test/loss"]} for r in whole
    ]
    checkpoint.save(
        tmp_path / "model.safetensors",
        Autoencoder(settings),
        name="a",
        dataset="digits",
        seed=0,
        epoch=400,
        history=history,
    )
    records = Log(path).records()
    assert [r for r in records if r.kind == "epoch"] == whole
    assert [r.step for r in records] == sorted(r.step for r in records)


def test_lost_work_is_dropped_also_where_the_resume_was_not_sampled(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write_long(path, 20, 1000)
    events.append(path, Event("resume", 9_999, 10))
    write_long(path, 30, 1000, begin=10)
    steps = [r.step for r in Log(path).records() if r.kind == "step"]
    assert steps == sorted(set(steps)) and steps[-1] == 39_999


def test_a_line_without_an_end_is_not_read_again_and_again(
    tmp_path: Path, counted: list[int]
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(events.as_line(Event("epoch", 1, 1)) + b"x" * 3_000_000)
    log = Log(path)
    assert len(log.records()) == 1
    counted.clear()
    log.records()
    assert sum(counted) == 0
    events.append(path, Event("resume", 1, 1))
    assert [r.kind for r in log.records()] == ["epoch", "resume"]


def test_another_log_in_the_same_place_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = Log(path)
    assert log.records() == []
    write_long(path, 1, 5)
    assert len(log.records()) == 6
    path.unlink()
    assert log.records() == []
    events.append(path, Event("epoch", 1, 1))
    assert len(log.records()) == 1


def test_a_day_writes_a_line_every_two_seconds_and_the_first_minute_all() -> None:
    assert events.pause(60) <= 0.1 and events.pause(86_400) == 2.0
