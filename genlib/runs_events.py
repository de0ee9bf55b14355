"""A run's diary: ``events.jsonl``, one JSON object a line, only ever appended to.

Kinds of record: ``start`` (what will be done: epochs, steps an epoch, images), ``step`` and
``epoch`` (numbers), ``resume`` (the run goes on from this step: later records before it were lost
work and are no longer part of the curve).
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """One line of the diary. ``time`` is in seconds since 1970, ``step`` counts batches."""

    kind: str
    step: int = 0
    epoch: int = 0
    time: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)

    def line(self) -> bytes:
        """One JSON line."""
        return json.dumps(asdict(self)).encode() + b"\n"


def append(path: Path, record: Record) -> None:
    """Append one record with a single write, so that a reader never sees two lines mixed."""
    # A crash may have left half a line behind: what follows a crash begins on a line of its own.
    fresh = b"\n" if record.kind in ("start", "resume") else b""
    with path.open("ab", buffering=0) as file:
        file.write(fresh + record.line())


def read(path: Path, offset: int = 0) -> tuple[list[Record], int]:
    """Read the records after byte ``offset``; returns them and the offset to go on from.

    A last line still being written, or torn by a crash, is left for the next call.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], 0
    complete = data[: data.rfind(b"\n") + 1]
    records = [record for line in complete.splitlines() if (record := _parse(line))]
    return records, offset + len(complete)


def _parse(line: bytes) -> Record | None:
    """One record, or None for a line that a crash left torn (the next writer began after it)."""
    try:
        return Record(**json.loads(line))
    except (ValueError, TypeError):
        return None


def fold(records: Iterable[Record], seen: Iterable[Record] = ()) -> list[Record]:
    """Append ``records`` to those already ``seen``, dropping lost work at every ``resume``."""
    kept = list(seen)
    for record in records:
        if record.kind == "resume":
            kept = [old for old in kept if old.step <= record.step]
        kept.append(record)
    return kept


def curves(records: Iterable[Record], kind: str = "epoch") -> dict[str, list[tuple[int, float]]]:
    """Metric name -> [(x, value)], x the step for ``step`` records and the epoch for ``epoch``."""
    found: dict[str, list[tuple[int, float]]] = {}
    for record in records:
        if record.kind == kind:
            x = record.epoch if kind == "epoch" else record.step
            for name, value in record.metrics.items():
                found.setdefault(name, []).append((x, value))
    return found
