"""A run is a directory, and this file is its map: what is in it, who writes it, how to read it.

::

    runs/vae-3/
      run.json             what to train: family, dataset, settings      (whoever starts it)
      status.json          queued, running, paused, stopped, finished, failed   (see ``Run.state``)
      control.json         pause, stop, learning rate                    (pages, command line)
      events.jsonl         the event log: a line per step or epoch       (the training process)
      previews/            fixed test digits and what becomes of them, uint8 .npy an epoch
      snapshots/           checkpoints of chosen epochs
      model.safetensors    the newest complete epoch, an ordinary checkpoint
      resume.safetensors   the same with optimizer and random state, to go on from
      owner                which visitor of the app started it, for their limit; nothing else
      launch.json          where its process is started, if not on this machine (see launch.py)
      lock                 held by the training process as long as it lives
      beat                 who trains it, touched as long as that process lives (clusters only)
      pid, log.txt         its process number, and what it printed
      reserve              room for the last words of a training whose disk is full

A run's name is never that of a shipped checkpoint; renaming changes a header, not a directory.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import cast

from genlib.environment import shipped_dir
from genlib.files import (
    exclusive,
    is_held,
    machine,
    open_file,
    read_json,
    write_bytes,
    write_json,
)
from genlib.runs import events
from genlib.settings import Control, Event, TrainSettings, fit, is_fit
from genlib.store.recipes import RECIPES

ACTIVE = ("running", "paused")
RESUMABLE = ("stopped", "failed", "lost")
STATES = ("queued", *ACTIVE, "stopped", "finished", "failed")
MOST_COUNT = 10**9
MOST_OWNER = 100  # characters
LR_RANGE = (1e-6, 1.0)
BEAT_S = 5.0  # seconds between two signs of life of a process that a cluster started
SILENT_S = 60.0  # without one it is taken for dead; machines' clocks may differ by less than that
MOST_SIGN = 200  # bytes
LAST_SECOND = 10**11  # of the years that are plausible, since 1970
SNAPSHOTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class RunSpec:
    """What to train. ``model`` and ``train`` hold the settings as plain JSON values."""

    family: str
    dataset: str = "mnist"
    model: Mapping[str, object] = field(default_factory=dict)
    train: Mapping[str, object] = field(default_factory=dict)
    name: str = ""
    recipe: str = ""
    sweep: str = ""
    snapshots: tuple[int, ...] = SNAPSHOTS
    created: float = 0.0

    def same_as(self, other: "RunSpec") -> bool:
        """Whether both ask for the same training, whenever they were asked for."""
        return self._asked() == other._asked()

    def _asked(self) -> dict[str, object]:
        return cast(dict[str, object], json.loads(json.dumps({**self.to_dict(), "created": 0})))

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        return {**asdict(self), "snapshots": list(self.snapshots)}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "RunSpec":
        """Read back what ``to_dict`` wrote; raises ValueError on an unknown or missing entry."""
        unknown = values.keys() - {each.name for each in fields(cls)}
        if unknown or "family" not in values:
            raise ValueError("run.json does not have the entries of a run")
        spec = cls(**values)  # type: ignore[arg-type]
        for name, is_right in _CHECKS.items():
            if not is_right(values.get(name, getattr(spec, name))):
                raise ValueError(f"{name} in run.json is not what a run has there")
        # Complete, and checked: whoever reads a run may rely on every training setting.
        settings = TrainSettings.from_dict(spec.train)
        return replace(spec, train=settings.to_dict(), snapshots=tuple(spec.snapshots))


def specs_of(recipe: str) -> list[RunSpec]:
    """The trainings of a recipe in order; each goes on from the weights of the one before.

    Raises ValueError for an unknown name.
    """
    if recipe not in RECIPES:
        raise ValueError(f"unknown recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    asked = RECIPES[recipe]
    train = TrainSettings.from_dict(asked.train)
    first = RunSpec(
        asked.family,
        asked.dataset,
        asked.model,
        train.to_dict(),
        recipe=recipe,
        snapshots=asked.snapshots,
    )
    if not asked.more:
        return [first]
    later = tuple(epoch - train.epochs for epoch in asked.snapshots if epoch > train.epochs)
    return [first, replace(first, train={**first.train, **asked.more}, snapshots=later)]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and is_fit(value)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST_COUNT


def _is_time(value: object) -> bool:
    return type(value) in (int, float) and 0 <= cast(float, value) <= LAST_SECOND


def _are_settings(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= 100
        and all(_is_text(name) and _is_setting(item) for name, item in value.items())
    )


def _is_setting(value: object) -> bool:
    if isinstance(value, list | tuple):
        return len(value) <= 100 and all(_is_number(item) for item in value)
    return _is_text(value) or isinstance(value, bool) or _is_number(value)


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(cast(float, value)) <= sys.float_info.max


def _in_range(lr: float) -> bool:
    low, high = LR_RANGE
    return low <= lr <= high


def _are_epochs(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) <= 1000 and all(map(_is_count, value))


_CHECKS: dict[str, Callable[[object], bool]] = {
    "family": _is_text,
    "dataset": _is_text,
    "model": _are_settings,
    "train": _are_settings,
    "name": _is_text,
    "recipe": _is_text,
    "sweep": _is_text,
    "snapshots": _are_epochs,
    "created": _is_time,
}


@dataclass(frozen=True)
class Status:
    """What state a run is in since when (seconds since 1970), and a sentence about it or none."""

    state: str
    since: float = 0.0
    message: str = ""


def signature(pid: int) -> str:
    """What a training process of this machine writes into a run's ``beat``."""
    return f"{machine()} {pid}"


@lru_cache(maxsize=1024)
def _spec(path: Path, changed: int, size: int, number: int) -> RunSpec:
    """The file's content, read once as long as its stamps stay the same."""
    return RunSpec.from_dict(read_json(path))


@dataclass(frozen=True)
class Run:
    """One run's directory. Everything is read from the files each time: they are the truth."""

    path: Path

    @property
    def id(self) -> str:
        """The directory's name, which never changes: links hold it."""
        return self.path.name

    @property
    def spec(self) -> RunSpec:
        """What is trained; raises ValueError or OSError when the directory holds no run."""
        about = (self.path / "run.json").stat()
        return _spec(self.path / "run.json", about.st_mtime_ns, about.st_size, about.st_ino)

    @property
    def name(self) -> str:
        """The given name, or the id while there is none."""
        return self.spec.name or self.id

    @property
    def status(self) -> Status:
        """The last written status; a run without one is stopped.

        Raises ValueError for a file that holds something else.
        """
        try:
            values = read_json(self.path / "status.json")
        except FileNotFoundError:
            return Status("stopped")
        state, since = values.get("state"), values.get("since")
        message = values.get("message", "")
        if state not in STATES or not _is_time(since) or not isinstance(message, str):
            raise ValueError("status.json does not say in which state the run is")
        return Status(str(state), float(cast(float, since)), fit(message, 1000))

    @property
    def state(self) -> str:
        """queued, running, paused, stopped, finished, failed, or lost (its process died)."""
        state = self.status.state
        if state not in ACTIVE or self.alive:
            return state
        # It may have ended properly between the two looks.
        state = self.status.state
        return "lost" if state in ACTIVE else state

    @property
    def message(self) -> str:
        """Why it failed, or what else a person should know of it; mostly empty."""
        return self.status.message

    @property
    def alive(self) -> bool:
        """True while a training process holds the lock, or lately gave a sign of life: a lock may
        not be seen from another machine."""
        return is_held(self.lock) or self.beats

    @property
    def beats(self) -> bool:
        """True when a process of another machine lately gave a sign of life. Of one on this machine
        the lock says everything: it ends with the process."""
        try:
            silent = abs(time.time() - self.beat.stat().st_mtime)
        except OSError:
            return False
        return silent < SILENT_S and self.claimed.partition(" ")[0] != machine()

    @property
    def claimed(self) -> str:
        """The ``signature`` of the last process that a cluster started; "" where there is none."""
        try:
            with open_file(self.beat) as file:
                return file.read(MOST_SIGN).decode(errors="replace")
        except OSError:
            return ""

    def claim(self) -> str:
        """Say that this process trains the run; returns its signature."""
        mine = signature(os.getpid())
        write_bytes(self.beat, mine.encode())
        return mine

    @property
    def beat(self) -> Path:
        """The file that shows signs of life from other machines."""
        return self.path / "beat"

    @property
    def lock(self) -> Path:
        """The file that the training process keeps locked."""
        return self.path / "lock"

    @property
    def model(self) -> Path | None:
        """The checkpoint of the newest complete epoch, once there is one."""
        path = self.path / "model.safetensors"
        return path if path.exists() else None

    @property
    def resumable(self) -> bool:
        """True when the state to go on from is there."""
        return self.state_file.exists()

    @property
    def state_file(self) -> Path:
        """Where the state to go on from is kept."""
        return self.path / "resume.safetensors"

    def trained(self) -> list[Path]:
        """The run's checkpoints, the newest epoch first, without the untrained model."""
        snapshots = sorted((self.path / "snapshots").glob("epoch-*.safetensors"), reverse=True)
        return [p for p in (self.model, *snapshots) if p and p.stem != "epoch-0000"]

    @property
    def pid(self) -> int | None:
        """Number of the training process, for display; ask ``alive`` whether it lives."""
        try:
            with open_file(self.path / "pid") as file:
                return int(file.read(MOST_SIGN))
        except (OSError, ValueError):
            return None

    @property
    def control(self) -> Control:
        """What was asked of the run."""
        try:
            values = read_json(self.path / "control.json")
        except (OSError, ValueError):
            return Control()  # a wish that can't be read is ignored
        lr = values.get("lr")
        return Control(
            pause=values.get("pause") is True,
            stop=values.get("stop") is True,
            lr=float(cast(float, lr)) if _is_number(lr) and _in_range(cast(float, lr)) else None,
        )

    @property
    def log(self) -> Path:
        """The event log."""
        return self.path / "events.jsonl"

    def events(self, offset: int = 0) -> tuple[list[Event], int]:
        """Read the event log after byte ``offset``; returns its events and the next offset."""
        return events.read(self.log, offset)

    def previews(self) -> list[tuple[int, Path]]:
        """Epochs and their pictures, in order."""
        files = (self.path / "previews").glob("epoch-*.npy")
        found = {path.stem.removeprefix("epoch-"): path for path in files}
        return sorted((int(n), path) for n, path in found.items() if n.isdecimal())

    @property
    def owner(self) -> str:
        """Who started it in the app: what ``set_owner`` was given, or ""."""
        try:
            with open_file(self.path / "owner") as file:
                return file.read(4 * MOST_OWNER).decode(errors="replace")[:MOST_OWNER]
        except OSError:
            return ""

    def set_owner(self, owner: str) -> None:
        """Note who started it or goes on with it."""
        write_bytes(self.path / "owner", owner[:MOST_OWNER].encode())

    def set_status(self, state: str, since: float, message: str = "") -> None:
        """Write the status; only the owner of the lock, or of the queue, does."""
        write_json(self.path / "status.json", asdict(Status(state, since, message)))

    def set_control(self, control: Control) -> None:
        """Tell the training process what is wanted; it looks several times a second.

        This replaces every wish. ``ask`` changes some, and loses none that others have.
        """
        write_json(self.path / "control.json", asdict(control))

    def ask(
        self, *, pause: bool | None = None, stop: bool | None = None, lr: float | None = None
    ) -> None:
        """Change what is wanted of the training process; None leaves a wish as it is.

        Of several sessions one at a time changes it, so that no wish is lost.
        """
        wishes = {"pause": pause, "stop": stop, "lr": lr}
        with exclusive(self.path.parent / ".control.lock"):
            values = asdict(self.control) | {k: v for k, v in wishes.items() if v is not None}
            self.set_control(Control(**values))


def is_shipped(name: str) -> bool:
    """Whether a checkpoint that comes with the project is called so, in any capitals."""
    recipes = {recipe for recipe, made in RECIPES.items() if made.shipped}
    files = {path.stem for path in shipped_dir().glob("*.safetensors")}
    return name.casefold() in {known.casefold() for known in recipes | files}


def refuse_shipped(name: str) -> None:
    """Raise ValueError for the name of a shipped checkpoint: links and pickers know models by it.

    Spaces are compared as they are shown.
    """
    if is_shipped(" ".join(name.split())):
        raise ValueError(f"{name!r} is the name of a shipped checkpoint; choose another one.")
