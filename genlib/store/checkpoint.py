"""Checkpoints: one self-describing ``.safetensors`` per model.

The header holds, as one JSON string under ``genlib``, all that is needed to rebuild the model:
format version, name, family, config, dataset, seed, epoch, training settings, metric history and
test metrics. Nothing is ever unpickled. Files are written atomically (see ``files``).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from genlib.settings import MAX_TEXT, SHOWN, TrainSettings, file_name, fit, is_fit, shown
from genlib.store.tensorfile import CheckpointError, bounded_json, header, write_meta, write_tensors

if TYPE_CHECKING:  # torch is imported where it is needed: listing checkpoints must be quick
    from genlib.models import Model

__all__ = ["CheckpointError", "Info", "listing", "load", "peek", "save"]

VERSION = 1
MAX_NAME = 60  # characters, as when a run is renamed
FLOATS = ("F16", "BF16", "F32")  # how floating-point weights may be stored; others as I64
MAX_ROWS = 20_000  # of a training history: one an epoch
MAX_LIST = 1000  # items of a list in the settings
MAX_DEPTH = 4  # of lists in lists in the settings


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

    @property
    def stamp(self) -> str:
        """The file and its modification time: another one once the file has changed."""
        return f"{self.path}:{self.mtime_ns}"

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """Names of the Protocols of ``genlib.models.capabilities`` that this model fulfils."""
        from genlib.models.capabilities import capabilities

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
        "name": fit(name or path.stem),
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


def save_metrics(info: Info, metrics: Mapping[str, Mapping[str, object]]) -> None:
    """Replace the metrics in a checkpoint's header; everything else, the weights bit by bit, stays.

    info: the checkpoint that was measured. Raises CheckpointError where another one has taken its
    place, or where it is no longer a checkpoint of genlib.
    """
    _describe_again(info, {"metrics": {k: dict(v) for k, v in metrics.items()}})


def retitle(path: Path, name: str) -> None:
    """Replace the name in a checkpoint's header, as ``save_metrics`` does with the metrics."""
    _describe_again(peek(path), {"name": fit(name)})


def _describe_again(info: Info, changes: Mapping[str, object]) -> None:
    peek(info.path)
    extra = header(info.path)["__metadata__"]
    assert isinstance(extra, dict)
    meta = bounded_json(extra["genlib"])
    assert isinstance(meta, dict)
    write_meta(info.path, {**meta, **changes}, info.mtime_ns)


def peek(path: Path) -> Info:
    """Read what a checkpoint says of itself; no weights are read.

    A file that has not changed is not checked again: Home lists all of them at every rerun.
    Raises CheckpointError with one sentence if the file isn't a checkpoint of genlib.
    """
    try:
        stat = path.stat()
    except OSError:
        return _peek(path, None)  # says what is wrong
    return _peek(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=256)
def _peek(path: Path, stamp: tuple[int, int, int] | None) -> Info:
    head = header(path)
    name = file_name(path.name, "The file")
    meta = _description(name, head)
    stat = path.stat()
    try:
        return Info(
            name=" ".join(_text(meta, "name").split())[:MAX_NAME].strip() or path.stem,
            path=path,
            family=_text(meta, "family"),
            config=_plain_values(meta, "config"),
            dataset=_text(meta, "dataset"),
            seed=_count(meta, "seed"),
            epoch=_count(meta, "epoch"),
            train=_training(meta),
            used=_plain_values({"used": {}, **meta}, "used"),  # earlier versions did not say
            history=_history(meta),
            metrics=_metrics(meta),
            parameters=sum(math.prod(shape) for shape in _shapes(head).values()),
            size=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
        )
    except ValueError as error:
        raise CheckpointError(f"{name} has a damaged genlib description: {error}.") from None


def _description(name: str, head: dict[str, object]) -> dict[str, object]:
    foreign = CheckpointError(
        f"{name} is a safetensors file of another program: it holds no genlib description."
    )
    extra = head.get("__metadata__")
    text = extra.get("genlib") if isinstance(extra, dict) else None
    if not isinstance(text, str):
        raise foreign
    try:
        meta = bounded_json(text)
    except (ValueError, RecursionError):
        raise foreign from None
    if not isinstance(meta, dict) or meta.get("kind", "checkpoint") != "checkpoint":
        raise foreign
    version = meta.get("version")
    if type(version) is not int or version != VERSION:
        raise CheckpointError(
            f"{name} has format version {shown(version)}; this genlib reads {VERSION}."
        )
    return meta


# What a description may hold. Each function raises ValueError with half a sentence.


def _text(values: dict[str, object], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} must be text, got {shown(value)}")
    if not is_fit(value):
        raise ValueError(
            f"{key} must be one line of at most {MAX_TEXT} characters, got {shown(value)}"
        )
    return value


def _count(values: dict[str, object], key: str) -> int:
    value = values.get(key)
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f"{key} must be a whole number from 0, got {shown(value)}")
    return value


def _number(values: dict[str, object], key: str) -> float:
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise ValueError(f"{shown(key)} must be a finite number, got {shown(value)}")
    return value


def _is_finite(value: float) -> bool:
    return abs(value) <= sys.float_info.max  # a whole number may be too large for isfinite


def _mapping(values: dict[str, object], key: str) -> dict[str, object]:
    value = values.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"{key} must be an object, got {shown(value)}")
    for name in value:
        if not is_fit(name):
            raise ValueError(f"{key} must have short names, got {shown(name)}")
    return value


def _plain_values(values: dict[str, object], key: str) -> dict[str, object]:
    """An object of texts, finite numbers, and lists of these."""
    found = _mapping(values, key)
    for name, value in found.items():
        _check_plain(f"{key}.{name}", value, MAX_DEPTH)
    return found


def _check_plain(where: str, value: object, depth: int) -> None:
    if isinstance(value, list) and depth and len(value) <= MAX_LIST:
        for item in value:
            _check_plain(where, item, depth - 1)
    elif isinstance(value, str):
        if not is_fit(value):
            raise ValueError(
                f"{where[:SHOWN]} must be one line of at most {MAX_TEXT} characters, "
                f"got {shown(value)}"
            )
    elif value is not None and not (isinstance(value, int | float) and _is_finite(value)):
        raise ValueError(
            f"{where[:SHOWN]} must be a number, text or short list, got {shown(value)}"
        )


def _training(meta: dict[str, object]) -> dict[str, object]:
    """The training settings; those that this genlib knows must be valid."""
    found = _plain_values(meta, "train")
    for spec in TrainSettings.specs():
        if spec.name in found:
            spec.check(found[spec.name])
    return found


def _history(meta: dict[str, object]) -> list[dict[str, float]]:
    rows = meta.get("history")
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise ValueError(f"history must be a list of at most {MAX_ROWS:,} rows, got {shown(rows)}")
    found = []
    for row in rows:
        named = _mapping({"a row of history": row}, "a row of history")
        found.append({key: _number(named, key) for key in named})
        if "epoch" not in named:
            raise ValueError("a row of history must name its epoch")
    return found


def _metrics(meta: dict[str, object]) -> dict[str, dict[str, object]]:
    """Test results; each has what ``evaluate_metric.Metric`` has."""
    found = {}
    for name in _mapping(meta, "metrics"):
        metric = _plain_values(_mapping(meta, "metrics"), name)
        for key in ("value", "stderr"):
            _number(metric, key)
        for key in ("unit", "data"):
            _text(metric, key)
        _count(metric, "n")
        found[name] = metric
    return found


def _shapes(head: dict[str, object]) -> dict[str, list[int]]:
    """Tensor name -> shape, from a header that ``header`` has checked."""
    return {
        key: cast(dict[str, list[int]], entry)["shape"]
        for key, entry in head.items()
        if key != "__metadata__"
    }


def build(info: Info, device: str = "cpu") -> Model:
    """The model that a checkpoint describes, with fresh weights.

    Raises CheckpointError, before any memory is taken, for an unknown family, impossible settings,
    or settings that ask for other weights than those in the file.
    """
    check_shapes(info)
    return _construct(info, device)


def _construct(info: Info, device: str) -> Model:
    import torch

    from genlib.models import FAMILIES

    name = file_name(info.path.name, "The file")
    if info.family not in FAMILIES:
        raise CheckpointError(f"{name} holds a model of unknown family {shown(info.family)}.")
    family = FAMILIES[info.family]
    try:
        config = family.Config.from_dict(info.config)
        with torch.device(device), torch.random.fork_rng():
            return family(config)
    except (ValueError, TypeError, RuntimeError) as error:  # RuntimeError: a layer of no size
        raise CheckpointError(f"{name} has impossible settings: {error}.") from None


def load(path: Path | Info, device: str = "cpu") -> Model:
    """The model in evaluation mode, float32, with frozen parameters.

    Raises CheckpointError if the file isn't a checkpoint, its weights don't fit its settings, or
    they are not finite numbers.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    info = path if isinstance(path, Info) else peek(Path(path))
    name = file_name(info.path.name, "The file")
    model = build(info)
    try:
        tensors = load_file(info.path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{name} could not be read: {shown(str(error))}.") from None
    model.load_state_dict(
        {k: t.float() if t.is_floating_point() else t for k, t in tensors.items()}
    )
    if not all(bool(t.isfinite().all()) for t in model.state_dict().values()):
        raise CheckpointError(f"{name} holds weights that are not finite numbers.")
    return model.to(device).eval().requires_grad_(False)


def check_shapes(info: Info) -> None:
    """Raise CheckpointError unless names, types and shapes of the weights fit the settings."""
    head = header(info.path)
    shapes = _shapes(head)
    expected = _construct(info, "meta").state_dict()
    name = file_name(info.path.name, "The file")
    if set(shapes) != set(expected):
        odd = min(set(shapes) ^ set(expected))
        raise CheckpointError(
            f"{name} does not hold the weights of a {info.family}: see {shown(odd)}."
        )
    for key, shape in shapes.items():
        stored = cast(dict[str, object], head[key])["dtype"]
        if stored not in (FLOATS if expected[key].is_floating_point() else ("I64",)):
            raise CheckpointError(
                f"{name} stores {shown(key)} in a number format that is not allowed: {stored}."
            )
        if list(expected[key].shape) != shape:
            raise CheckpointError(
                f"{name} has {shown(key)} of shape {shown(shape)} where its settings ask for "
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
                continue  # skip a half-written or foreign file in the folder
    return sorted(found, key=lambda info: info.name)
