"""A run is a directory, and this file is its map: what is in it, who writes it, how to read it.

::

    runs/vae-3/
      run.json             what to train: family, dataset, settings      (whoever starts it)
      status.json          queued, running, paused, stopped, finished, failed   (see ``Run.state``)
      control.json         pause, stop, learning rate                    (pages, command line)
      events.jsonl         the diary: one line a step or epoch           (the training process)
      previews/            fixed test digits and what becomes of them, uint8 .npy an epoch
      snapshots/           checkpoints of chosen epochs
      model.safetensors    the newest complete epoch, an ordinary checkpoint
      resume.safetensors   the same with optimizer and random state, to go on from
      lock                 held by the training process as long as it lives
      pid, log.txt         its process number, and what it printed
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import cast

from genlib import runs_events
from genlib.runs_files import is_held, read_json, write_json
from genlib.settings import TrainSettings

ACTIVE = ("running", "paused")
RESUMABLE = ("stopped", "failed", "lost")
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

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        return {**asdict(self), "snapshots": list(self.snapshots)}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "RunSpec":
        """Read back what ``to_dict`` wrote; raises ValueError on an unknown or missing entry."""
        try:
            spec = cls(**values)  # type: ignore[arg-type]
        except TypeError as error:
            raise ValueError(f"run.json does not describe a run: {error}") from None
        for name, kind in {
            "family": str,
            "dataset": str,
            "model": dict,
            "train": dict,
        }.items():
            if not isinstance(getattr(spec, name), kind):
                raise ValueError(f"{name} in run.json must be of type {kind.__name__}")
        # Complete, and checked: whoever reads a run may rely on every training setting.
        settings = TrainSettings.from_dict(spec.train)
        return replace(spec, train=settings.to_dict(), snapshots=tuple(spec.snapshots))


@dataclass(frozen=True)
class Control:
    """What the person watching wants of a run. ``lr`` None leaves the schedule as it is."""

    pause: bool = False
    stop: bool = False
    lr: float | None = None


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
        return RunSpec.from_dict(read_json(self.path / "run.json"))

    @property
    def name(self) -> str:
        """The given name, or the id while there is none."""
        return self.spec.name or self.id

    @property
    def status(self) -> dict[str, object]:
        """The last written status: ``state``, ``since`` (seconds since 1970), ``message``."""
        try:
            return read_json(self.path / "status.json")
        except (OSError, ValueError):
            return {"state": "stopped", "since": 0.0, "message": ""}

    @property
    def state(self) -> str:
        """queued, running, paused, stopped, finished, failed, or lost (its process died)."""
        state = str(self.status["state"])
        if state not in ACTIVE or self.alive:
            return state
        # It may have ended properly between the two looks.
        state = str(self.status["state"])
        return "lost" if state in ACTIVE else state

    @property
    def message(self) -> str:
        """Why it failed, or what else a person should know of it; mostly empty."""
        return str(self.status.get("message", ""))

    @property
    def alive(self) -> bool:
        """True while a training process holds the lock."""
        return is_held(self.lock)

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
            return int((self.path / "pid").read_text())
        except (OSError, ValueError):
            return None

    @property
    def control(self) -> Control:
        """What was asked of the run."""
        try:
            values = read_json(self.path / "control.json")
        except (OSError, ValueError):
            return Control()
        lr = cast(float | None, values.get("lr"))
        return Control(bool(values.get("pause")), bool(values.get("stop")), lr)

    def events(self, offset: int = 0) -> tuple[list[runs_events.Record], int]:
        """Read the diary after byte ``offset``; returns the records and the next offset."""
        return runs_events.read(self.path / "events.jsonl", offset)

    def previews(self) -> list[tuple[int, Path]]:
        """Epochs and their pictures, in order."""
        found = sorted((self.path / "previews").glob("epoch-*.npy"))
        return [(int(path.stem.removeprefix("epoch-")), path) for path in found]

    def set_status(self, state: str, since: float, message: str = "") -> None:
        """Write the status; only the owner of the lock, or of the queue, does."""
        status = {"state": state, "since": since, "message": message}
        write_json(self.path / "status.json", status)

    def set_control(self, control: Control) -> None:
        """Tell the training process what is wanted; it looks several times a second."""
        write_json(self.path / "control.json", asdict(control))
