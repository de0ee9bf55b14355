"""Checkpoints: one self-describing ``.safetensors`` per model.

The header holds, as one JSON string under ``genlib``, all that is needed to rebuild the model:
format version, name, family, config, dataset, seed, epoch, training settings, metric history and
test metrics. Nothing is ever unpickled. Files are written atomically (see ``files``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.tensorfile import CheckpointError, header, write_tensors

if TYPE_CHECKING:  # torch is imported where it is needed: listing checkpoints must be quick
    from genlib.models import Model

__all__ = ["CheckpointError", "Info", "listing", "load", "peek", "save"]

VERSION = 1
MAX_NAME = 60  # characters, as when a run is renamed
DTYPES = {"F16": 2, "BF16": 2, "F32": 4, "I64": 8}


@dataclass(frozen=True)
class Info:
    """What a checkpoint says of itself, read from its header alone."""

    name: str
    path: Path
    family: str
    config: dict[str, object]
    dataset: str
    seed: int
    epoch: int
    train: dict[str, object] = field(default_factory=dict)
    used: dict[str, object] = field(default_factory=dict)  # what "auto" among these came to
    history: list[dict[str, float]] = field(default_factory=list)
    metrics: dict[str, dict[str, object]] = field(default_factory=dict)
    parameters: int = 0
    size: int = 0  # bytes
    mtime_ns: int = 0

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """Names of the Protocols of ``genlib.models.base`` that this model fulfils."""
        from genlib.models import capabilities

        return capabilities(self.family)

    @property
    def snapshots(self) -> tuple[tuple[int, Path], ...]:
        """Earlier epochs and their files, in order, ending with this checkpoint itself."""
        folders = [self.path.with_name(f"{self.path.stem}.snapshots")]
        if self.path.stem == "model":  # of a run
            folders.append(self.path.with_name("snapshots"))
        found = {self.epoch: self.path}
        for folder in folders:
            for file in folder.glob("epoch-*.safetensors"):
                number = file.stem.removeprefix("epoch-")
                if number.isdecimal():
                    found.setdefault(int(number), file)
        return tuple(sorted(found.items()))


def root() -> Path:
    """The project's folder."""
    return Path(__file__).parents[1]


def shipped_dir() -> Path:
    """Checkpoints that come with the project; ``$GENLIB_CHECKPOINTS`` overrides."""
    return Path(os.environ.get("GENLIB_CHECKPOINTS") or root() / "checkpoints")


def runs_dir() -> Path:
    """Training runs; ``$GENLIB_RUNS`` overrides."""
    return Path(os.environ.get("GENLIB_RUNS") or root() / "runs")


def uploads_dir() -> Path:
    """Checkpoints that were uploaded in the app."""
    return runs_dir() / "uploads"


def save(
    path: Path,
    model: Model,
    *,
    name: str = "",
    dataset: str,
    seed: int,
    epoch: int,
    train: Mapping[str, object] | None = None,
    used: Mapping[str, object] | None = None,
    history: Iterable[Mapping[str, float]] = (),
    metrics: Mapping[str, Mapping[str, object]] | None = None,
    half: bool = False,
) -> None:
    """Save a model; ``half`` stores floats as float16 (loading brings them back to float32).

    ``train`` holds the settings asked for, ``used`` the device, number format and threads at work.
    """
    import torch

    tensors = model.state_dict()
    if half:
        tensors = {
            k: t.to(torch.float16) if t.is_floating_point() else t for k, t in tensors.items()
        }
    meta = {
        "version": VERSION,
        "name": name or path.stem,
        "family": model.family,
        "config": model.config.to_dict(),
        "dataset": dataset,
        "seed": seed,
        "epoch": epoch,
        "train": dict(train or {}),
        "used": dict(used or {}),
        "history": [dict(row) for row in history],
        "metrics": {k: dict(v) for k, v in (metrics or {}).items()},
    }
    write_tensors(path, tensors, meta)


def peek(path: Path) -> Info:
    """Read what a checkpoint says of itself; no weights are read.

    Raises CheckpointError with one sentence if the file is no checkpoint of genlib.
    """
    head = header(path)
    foreign = CheckpointError(
        f"{path.name} is a safetensors file of another program: it holds no genlib description."
    )
    extra = head.get("__metadata__")
    text = extra.get("genlib") if isinstance(extra, dict) else None
    if not isinstance(text, str):
        raise foreign
    try:
        meta = json.loads(text)
    except (ValueError, RecursionError):
        raise foreign from None
    if not isinstance(meta, dict) or meta.get("kind", "checkpoint") != "checkpoint":
        raise foreign
    if meta.get("version") != VERSION:
        raise CheckpointError(
            f"{path.name} has format version {meta.get('version')}; this genlib reads {VERSION}."
        )
    stat = path.stat()
    try:
        return Info(
            name=" ".join(_text(meta, "name").split())[:MAX_NAME] or path.stem,
            path=path,
            family=_text(meta, "family"),
            config=_mapping(meta, "config"),
            dataset=_text(meta, "dataset"),
            seed=int(meta["seed"]),
            epoch=int(meta["epoch"]),
            train=_mapping(meta, "train"),
            used=_mapping({"used": {}, **meta}, "used"),  # earlier versions did not say
            history=[dict(row) for row in meta["history"]],
            metrics={k: dict(v) for k, v in meta["metrics"].items()},
            parameters=_count(head),
            size=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise CheckpointError(f"{path.name} has a damaged genlib description.") from None


def _text(meta: dict[str, object], key: str) -> str:
    if not isinstance(meta[key], str):
        raise TypeError(key)
    return str(meta[key])


def _mapping(meta: dict[str, object], key: str) -> dict[str, object]:
    value = meta[key]
    if not isinstance(value, dict):
        raise TypeError(key)
    return value


def _count(head: dict[str, object]) -> int:
    total = 0
    for key, entry in head.items():
        if key != "__metadata__" and isinstance(entry, dict):
            count = 1
            for side in entry["shape"]:
                count *= int(side)
            total += count
    return total


def build(info: Info, device: str = "cpu") -> Model:
    """The model that a checkpoint describes, with fresh weights.

    Raises CheckpointError for an unknown family or impossible settings.
    """
    import torch

    from genlib.models import FAMILIES

    if info.family not in FAMILIES:
        raise CheckpointError(f"{info.path.name} holds a model of unknown family {info.family!r}.")
    family = FAMILIES[info.family]
    try:
        config = family.Config.from_dict(info.config)
        with torch.device(device), torch.random.fork_rng():
            return family(config)
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{info.path.name} has impossible settings: {error}.") from None


def load(path: Path | Info, device: str = "cpu") -> Model:
    """The model in evaluation mode, float32, with frozen parameters.

    Raises CheckpointError if the file is no checkpoint or its weights do not fit its settings.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    info = path if isinstance(path, Info) else peek(Path(path))
    check_shapes(info)
    model = build(info)
    try:
        tensors = load_file(info.path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{info.path.name} could not be read: {error}.") from None
    model.load_state_dict(
        {k: t.float() if t.is_floating_point() else t for k, t in tensors.items()}
    )
    return model.to(device).eval().requires_grad_(False)


def check_shapes(info: Info) -> None:
    """Raise CheckpointError unless names, types and shapes of the weights fit the settings."""
    head = header(info.path)
    head.pop("__metadata__", None)
    expected = build(info, "meta").state_dict()
    name = info.path.name
    if set(head) != set(expected):
        odd = min(set(head) ^ set(expected))
        raise CheckpointError(f"{name} does not hold the weights of a {info.family}: see {odd!r}.")
    for key, entry in head.items():
        if not isinstance(entry, dict) or entry.get("dtype") not in DTYPES:
            raise CheckpointError(f"{name} stores {key!r} in a number format that is not allowed.")
        if list(expected[key].shape) != entry.get("shape"):
            raise CheckpointError(
                f"{name} has {key!r} of shape {entry.get('shape')} where its settings ask for "
                f"{list(expected[key].shape)}."
            )


def listing(*folders: Path) -> list[Info]:
    """All readable checkpoints directly in the folders, by name; unreadable files are left out."""
    found = []
    for folder in folders:
        for path in sorted(folder.glob("*.safetensors")):
            try:
                found.append(peek(path))
            except CheckpointError:
                continue  # a half-written or foreign file in the folder is no checkpoint
    return sorted(found, key=lambda info: info.name)
