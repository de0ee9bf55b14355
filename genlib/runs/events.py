"""A run's event log: ``events.jsonl``, one JSON object per line, only ever appended to.

Kinds of record: ``start`` (what will be done: epochs, steps per epoch, images), ``step`` and
``epoch`` (numbers), ``resume`` (the run goes on from this step: later records before it were lost
work and are no longer part of the curve).

A training of days writes hundreds of megabytes. A curve needs hundreds of points, so a look reads
at most ``MOST_BYTES`` and keeps at most ``2 * MOST_RECORDS`` records of a kind, evenly spread::

    first look at a short log:  |################|
    first look at a long one:   |# # # # # # # ##|   short samples and the whole end
    every later look:                            |##|  what was added
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

from genlib.files import full_disk_said
from genlib.settings import Event
from genlib.store.checkpoint import CheckpointError, peek

LOG = logging.getLogger(__name__)

MOST_BYTES = 4_000_000  # read in one look
SAMPLE = 8_192  # bytes of one sample of a long log
END = 500_000  # bytes at the end of a long log that are read whole
MOST_LINE = 64_000  # bytes of one line; a longer one isn't ours
MOST_RECORDS = 2_000  # of one kind, evenly spread; up to twice as many before they are thinned
MOST_METRICS = 200  # in one record
MOST_COUNT = 10**12  # steps or epochs
MOST_KIND = 40  # characters


def as_line(event: Event) -> bytes:
    """One JSON line of the log."""
    return json.dumps(asdict(event)).encode() + b"\n"


def append(path: Path, event: Event) -> None:
    """Append one event with a single write, so that a reader never sees two lines mixed.

    Raises DiskFullError when the disk is full.
    """
    # A crash may have left half a line behind: what follows a crash begins on a line of its own.
    fresh = b"\n" if event.kind in ("start", "resume") else b""
    with full_disk_said(path), path.open("ab", buffering=0) as file:
        file.write(fresh + as_line(event))


def pause(seconds: float) -> float:
    """Seconds between two ``step`` lines after so many seconds of training: less and less often,
    so that a day writes 16 MB and not 130, and still often enough to watch."""
    return min(2.0, seconds / 600)


def read(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """Read the records after byte ``offset``; returns them and the offset to go on from.

    At most ``MOST_BYTES`` are read: of more, samples and the end. A last line still being written,
    or torn by a crash, is left for the next call. Lines that hold no record are left out.
    """
    if not path.is_file():
        return [], 0
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            samples = list(_samples(file, offset, size))
            data = _last_part(file, offset, size)
    except FileNotFoundError:  # deleted meanwhile
        return [], 0
    complete = data[: data.rfind(b"\n") + 1]
    rest = len(data) - len(complete)
    if rest > MOST_LINE:  # no line of ours gets so long: don't read it again with every look
        rest = 0
    lines = [line for part in (*samples, complete) for line in part.split(b"\n")]
    records = [record for line in lines if (record := _parse(line))]
    return records, max(offset, size) - rest


def is_long(size: int) -> bool:
    """Whether so many bytes are sampled and not read whole."""
    return size > MOST_BYTES


def _samples(file: BinaryIO, offset: int, size: int) -> Iterator[bytes]:
    """Whole lines of short parts, evenly spread over all but the end of a long log."""
    if not is_long(size - offset):
        return
    count = (MOST_BYTES - END) // SAMPLE
    for i in range(count):
        file.seek(offset + i * (size - END - offset) // count)
        part = file.read(SAMPLE)
        begin = part.find(b"\n") + 1 if i else 0
        yield part[begin : part.rfind(b"\n") + 1]


def _last_part(file: BinaryIO, offset: int, size: int) -> bytes:
    """All that was added after ``offset``, or the end of it, from the beginning of a line."""
    if not is_long(size - offset):
        file.seek(offset)
        return file.read(max(0, size - offset))
    file.seek(size - END)
    data = file.read(END)
    return data[data.find(b"\n") + 1 :]


def _parse(line: bytes) -> Event | None:
    """One record, or None for a line that a crash tore (the next writer began after it), or that
    somebody else wrote."""
    if not line or len(line) > MOST_LINE:
        return None
    try:
        values = json.loads(line)
        record = Event(**values)
        metrics = {name: float(value) for name, value in record.metrics.items()}
        record = replace(record, time=float(record.time), metrics=metrics)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return record if _is_sound(record) else None


def _is_sound(record: Event) -> bool:
    counts = (record.step, record.epoch)
    return (
        isinstance(record.kind, str)
        and 0 < len(record.kind) <= MOST_KIND
        and all(type(n) is int and 0 <= n <= MOST_COUNT for n in counts)
        and len(record.metrics) <= MOST_METRICS
        and all(name.isprintable() for name in record.metrics)
        and all(math.isfinite(value) for value in (record.time, *record.metrics.values()))
    )


def fold(records: Iterable[Event], seen: Iterable[Event] = ()) -> list[Event]:
    """Append ``records`` to those already ``seen``, dropping lost work at every ``resume``.

    Of each kind at most ``2 * MOST_RECORDS`` are kept, evenly spread over the steps.
    """
    kept = list(seen)
    newest = max((old.step for old in kept), default=0)
    for record in records:
        if record.kind == "resume" and newest > record.step:
            kept = [old for old in kept if old.step <= record.step]
            newest = record.step
        newest = max(newest, record.step)
        kept.append(record)
        if len(kept) % MOST_RECORDS == 0:
            kept = thin(kept)
    return thin(kept)


def thin(records: Sequence[Event]) -> list[Event]:
    """Keep about ``MOST_RECORDS`` of each kind that has twice as many: one in each of that many
    equal stretches of steps, and the last."""
    kinds: dict[str, list[int]] = {}
    for i, record in enumerate(records):
        kinds.setdefault(record.kind, []).append(i)
    dropped: set[int] = set()
    for found in kinds.values():
        if len(found) < 2 * MOST_RECORDS:
            continue
        first, last = records[found[0]].step, records[found[-1]].step
        stretch = max(last - first, 1) / MOST_RECORDS
        taken = -1
        for i in found[:-1]:
            here = int((records[i].step - first) / stretch)
            if here == taken:
                dropped.add(i)
            taken = here
    return [record for i, record in enumerate(records) if i not in dropped]


class Log:
    """What is known of one event log: read on from where the last look ended.

    One object serves all who look at a run, from any thread.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._offset, self._file = 0, -1  # the file's number in the file system
        self._records: list[Event] = []

    def records(self) -> list[Event]:
        """The records so far, thinned; don't change the list. See ``fold`` and ``read``."""
        with self._lock:
            try:
                about = self.path.stat()
            except OSError:
                self._offset, self._file, self._records = 0, -1, []
                return self._records
            if about.st_ino != self._file or about.st_size < self._offset:  # another log
                self._offset, self._file, self._records = 0, about.st_ino, []
            sampled = is_long(about.st_size - self._offset)
            new, self._offset = read(self.path, self._offset)
            if sampled:
                new = _with_epochs(_without_lost(new), self.path.with_name("model.safetensors"))
            if new:
                self._records = fold(new, self._records)
            return self._records


def _without_lost(records: list[Event]) -> list[Event]:
    """Drop lost work also where the ``resume`` lies between two samples: the steps went back."""
    kept: list[Event] = []
    for record in reversed(records):
        if not kept or record.step <= kept[-1].step:
            kept.append(record)
    return kept[::-1]


def _with_epochs(records: list[Event], model: Path) -> list[Event]:
    """Add the epochs that lie between two samples: the run's checkpoint knows them all."""
    try:
        history = peek(model).history
    except CheckpointError:
        return records
    known = {record.epoch for record in records if record.kind == "epoch"}
    steps = [r.metrics["steps"] for r in records if "steps" in r.metrics][-1:]
    found = list(records)
    for row in history:
        metrics = {name: value for name, value in row.items() if name not in ("epoch", "step")}
        values = {
            "kind": "epoch",
            "step": row.get("step"),
            "epoch": row.get("epoch"),
            "metrics": {**metrics, **({"steps": steps[0]} if steps else {})},
        }
        record = _parse(json.dumps(values).encode())
        if record is not None and record.epoch not in known:
            found.append(record)
    return sorted(found, key=lambda record: record.step)


def rate_changes(records: Iterable[Event], lr: float) -> list[tuple[int, float]]:
    """[(step, new rate)] where the learning rate, ``lr`` at first, was changed during the training.

    A schedule is not a change: what counts is the rate that it scales (``base_lr``).
    """
    found: list[tuple[int, float]] = []
    step = 0  # of the last record with the old rate
    for record in records:
        now = record.metrics.get("base_lr", lr)
        if now != lr:
            lr = now
            found.append((step, lr))
        step = record.step
    return found


def curves(records: Iterable[Event], kind: str = "epoch") -> dict[str, list[tuple[int, float]]]:
    """Metric name -> [(x, value)], x the step for ``step`` records and the epoch for ``epoch``."""
    found: dict[str, list[tuple[int, float]]] = {}
    for record in records:
        if record.kind == kind:
            x = record.epoch if kind == "epoch" else record.step
            for name, value in record.metrics.items():
                found.setdefault(name, []).append((x, value))
    return found
