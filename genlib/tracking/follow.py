"""Read runs as they grow, and tell a tracker what is new.

A tracker is a module of ``genlib/tracking/`` with a class ``Tracker``. It hears of one run:

    begin    who it is: its settings as hyperparameters
    numbers  losses and learning rate of an epoch, or of a step in between
    picture  test pictures and what became of them, once an epoch
    rewind   the run lost its work after this step and epoch, and does it again
    end      numbers measured on test images, with their standard errors

An epoch's numbers have the epoch as their horizontal axis, so that "loss per epoch" is one panel;
those of steps have names that begin with ``step/``, and the count of batches as their axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from genlib.models import FAMILIES
from genlib.models.capabilities import capabilities
from genlib.runs.directory import ACTIVE, Run, RunSpec
from genlib.runs.events import Log
from genlib.settings import Event, TrainSettings
from genlib.store.checkpoint import CheckpointError, peek

SHOWN = ("lr", "images_per_s")  # and the losses
COLUMNS = 8  # of a picture
PICTURES = "reconstructions"  # or samples, for a family that doesn't reconstruct
Setting = str | int | float | bool


class TrackError(ValueError):
    """A tracker isn't installed or can't be reached; the message says what to do."""


@dataclass(frozen=True)
class TrackedRun:
    """Who a run is. ``group`` is the name of its sweep, or ""."""

    id: str
    name: str
    group: str
    path: Path
    created: float
    settings: Mapping[str, Setting]


@dataclass(frozen=True)
class Measurement:
    """A number measured on test images."""

    value: float
    stderr: float
    unit: str
    n: int
    data: str


class Tracker(Protocol):
    """Where the numbers of one run go."""

    def begin(self, about: TrackedRun) -> None:
        """Make the run known, or replace what was told of it before."""
        ...

    def numbers(self, axis: int, values: Mapping[str, float], time: float) -> None:
        """Numbers after epoch ``axis``, or after step ``axis`` where their names begin with
        ``step/``; ``time`` in seconds since 1970."""
        ...

    def picture(self, name: str, epoch: int, image: NDArray[np.uint8], time: float) -> None:
        """A picture (H, W, 3)."""
        ...

    def rewind(self, step: int, epoch: int) -> None:
        """Forget what was said of later steps and epochs, where the tracker can."""
        ...

    def end(self, measured: Mapping[str, Measurement], state: str) -> None:
        """Nothing more comes; ``state`` is the run's."""
        ...


def all_settings(spec: RunSpec) -> dict[str, object]:
    """The settings of a run by name, the defaults of those that it doesn't name included."""
    found: dict[str, object] = {"family": spec.family, "dataset": spec.dataset}
    if spec.family in FAMILIES:
        found |= {s.name: s.default for s in FAMILIES[spec.family].Config.specs()}
    found |= {s.name: s.default for s in TrainSettings.specs()}
    return {**found, **spec.model, **spec.train}


def about(run: Run) -> TrackedRun:
    """Who a run is; its settings include the defaults that it was trained with."""
    spec = run.spec
    settings = {name: _plain(value) for name, value in all_settings(spec).items()}
    return TrackedRun(run.id, run.name, spec.sweep, run.path.resolve(), spec.created, settings)


def _plain(value: object) -> Setting:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, int | float | bool) else str(value)


def measured(run: Run) -> dict[str, Measurement]:
    """What ``genlib evaluate --write`` measured of the run's checkpoint."""
    try:
        metrics = peek(run.model).metrics if run.model else {}
    except CheckpointError:
        return {}
    return {
        name: Measurement(
            float(str(m["value"])),
            float(str(m["stderr"])),
            str(m["unit"]),
            int(str(m["n"])),
            str(m["data"]),
        )
        for name, m in metrics.items()
    }


class Follower:
    """One run, read on from where the last look ended."""

    def __init__(self, run: Run, tracker: Tracker) -> None:
        self.run, self.tracker = run, tracker
        self.log = Log(run.log)
        self.step, self.epoch = -1, -1  # the last that were told
        self.resumed = 0  # how many times the run went on, as far as told
        self.pictured = -1
        self.done = False
        tracker.begin(about(run))

    def look(self) -> bool:
        """Tell what is new; returns whether more may come."""
        if self.done:
            return False
        state = self.run.state  # before the log: what is written afterwards is read next time
        records = self.log.records()
        self._rewound(records)
        times = {record.epoch: record.time for record in records}
        waiting = [picture for picture in self.run.previews() if picture[0] > self.pictured]
        self._pictures(waiting, times)  # the untrained model's: it stands before every epoch
        for record in records:
            self._tell(record)
            self._pictures(waiting, times)
        if state not in ("queued", *ACTIVE):
            self.tracker.end(measured(self.run), state)
            self.done = True
        return not self.done

    def close(self) -> None:
        """End what was begun, also of a run that goes on."""
        if not self.done:
            self.tracker.end({}, self.run.state)
            self.done = True

    def _rewound(self, records: Sequence[Event]) -> None:
        resumes = [r for r in records if r.kind == "resume"]
        last = resumes[-1] if len(resumes) > self.resumed else None
        self.resumed = len(resumes)
        if last is not None and (self.step > last.step or self.epoch > last.epoch):
            self.step, self.epoch = min(self.step, last.step), min(self.epoch, last.epoch)
            self.tracker.rewind(last.step, last.epoch)

    def _tell(self, record: Event) -> None:
        losses = {name: value for name, value in record.metrics.items() if "/" in name}
        more = {name: record.metrics[name] for name in SHOWN if name in record.metrics}
        if record.kind == "epoch" and record.epoch > self.epoch:
            self.epoch = record.epoch
            self.tracker.numbers(record.epoch, {**losses, **more}, record.time)
        elif record.kind == "step" and record.step > self.step:
            self.step = record.step
            told = {f"step/{name}": value for name, value in {**losses, **more}.items()}
            self.tracker.numbers(record.step, told, record.time)

    def _pictures(self, waiting: list[tuple[int, Path]], times: Mapping[int, float]) -> None:
        """Tell the pictures of the epochs that were told, each right after its numbers."""
        # A picture is written before its epoch's line: wait for that.
        while waiting and waiting[0][0] <= max(self.epoch, 0):
            epoch, path = waiting.pop(0)
            self.pictured = epoch
            try:
                preview = np.load(path, allow_pickle=False)
            except (OSError, ValueError):
                continue  # replaced by something else, as the app shows it too
            paired = self._reconstructs()
            name = PICTURES if paired else "samples"
            self.tracker.picture(name, epoch, sheet(preview, paired), times.get(epoch, 0.0))

    def _reconstructs(self) -> bool:
        family = self.run.spec.family
        return family in FAMILIES and "Reconstructs" in capabilities(family)


def sheet(preview: NDArray[np.uint8], paired: bool) -> NDArray[np.uint8]:
    """A preview (N, C, H, W) as one picture (H', W', 3).

    ``paired``: its second half reconstructs the first, and each row stands below its originals.
    """
    if paired and len(preview) >= 2:
        half = len(preview) // 2
        columns = min(COLUMNS, half)
        rows = [
            part[i : i + columns]
            for i in range(0, half, columns)
            for part in (preview[:half], preview[half : 2 * half])
        ]
    else:
        columns = min(COLUMNS, len(preview))
        rows = [preview[i : i + columns] for i in range(0, len(preview), columns)]
    full = [np.pad(row, ((0, columns - len(row)), (0, 0), (0, 0), (0, 0))) for row in rows]
    lines = [np.concatenate(list(row), axis=2) for row in full]
    image = np.concatenate(lines, axis=1).transpose(1, 2, 0)
    return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)), np.uint8)


class Followers:
    """Several runs followed at once; those that begin later are taken up."""

    def __init__(self, members: Callable[[], list[Run]], make: Callable[[], Tracker]) -> None:
        self.members, self.make = members, make
        self.known: dict[str, Follower] = {}

    def look(self) -> bool:
        """Tell what is new of each; returns whether more may come."""
        for run in self.members():
            if run.id not in self.known and run.log.exists():
                self.known[run.id] = Follower(run, self.make())
        going = [follower.look() for follower in self.known.values()]
        return any(going) or any(
            run.id not in self.known and run.state in ("queued", *ACTIVE) for run in self.members()
        )

    def close(self) -> None:
        """End what was begun."""
        for follower in self.known.values():
            follower.close()
