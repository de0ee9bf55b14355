"""A run's diary: read from an offset, torn by a crash, folded at a resume."""

from __future__ import annotations

from pathlib import Path

from genlib import runs_events
from genlib.runs_events import Record


def test_a_resume_drops_the_work_that_was_lost() -> None:
    seen = [Record("epoch", 10, 1), Record("step", 14, 1), Record("step", 18, 1)]
    folded = runs_events.fold([Record("resume", 10, 1), Record("step", 12, 1)], seen)
    assert [(r.kind, r.step) for r in folded] == [("epoch", 10), ("resume", 10), ("step", 12)]


def test_the_diary_is_read_on_from_an_offset_and_survives_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    runs_events.append(path, Record("epoch", 1, 1, metrics={"test/loss": 2.0}))
    first, offset = runs_events.read(path)
    assert [r.metrics for r in first] == [{"test/loss": 2.0}]
    with path.open("ab") as file:
        file.write(b'{"kind": "epo')
    assert runs_events.read(path, offset) == ([], offset), "a torn line is left alone"
    runs_events.append(path, Record("resume", 1, 1))
    then, _ = runs_events.read(path, offset)
    assert [r.kind for r in then] == ["resume"], "the line after the torn one is not lost"


def test_curves_are_by_epoch_or_by_step() -> None:
    records = [Record("step", 5, 0, metrics={"a": 1.0}), Record("epoch", 9, 1, metrics={"a": 2.0})]
    assert runs_events.curves(records) == {"a": [(1, 2.0)]}
    assert runs_events.curves(records, "step") == {"a": [(5, 1.0)]}
