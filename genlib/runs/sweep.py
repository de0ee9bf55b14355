"""Sweeps: the same training for many values of some settings, as runs of one name.

::

    runs/sweeps/vae-beta-1/
      sweep.json      what is varied, how often, where; for a search: which run is which trial
      trials.log      what a search has tried (genlib/cli/search.py)
      table.csv       one row per setting: mean and standard error over seeds of every metric
    runs/vae-1/ ...   the runs themselves, whose run.json names the sweep

A sweep is found by its name in its runs, so one whose directory is gone is still a sweep.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import cast

from genlib.environment import runs_dir
from genlib.files import exclusive, read_json, write_bytes, write_json
from genlib.runs import index
from genlib.runs.directory import ACTIVE, MOST_COUNT, Run
from genlib.runs.launch import LAUNCHERS
from genlib.settings import is_fit
from genlib.store.checkpoint import CheckpointError, peek

MOST_NAME = 60  # characters
MOST_FOLDER = 60  # characters
MOST_RUNS = 10_000
LEFT_OUT = ("seconds", "seconds_left", "steps", "step", "epoch", "lr", "base_lr", "images_per_s")
OPEN = ("queued", *ACTIVE)
Check = Callable[[object], bool]
LATER: Mapping[str, object] = {"job": {}, "at_once": 0}  # what older files don't have


@dataclass(frozen=True)
class SweepSpec:
    """A named set of runs.

    varied: setting -> its values as text, in the order given; of a search, the range as given.
    fixed, dataset: what else a search needs to start another run.
    trials: run id -> number of its trial, in a search. pruned: runs that a search gave up.
    job, at_once: what its launcher is asked for and how many runs train at once (0: not said), so
    that going on with it needs no repetition.
    """

    name: str
    family: str = ""
    varied: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seeds: int = 1
    launcher: str = "here"
    search: int = 0
    fixed: Mapping[str, str] = field(default_factory=dict)
    dataset: str = "mnist"
    metric: str = "test/loss"
    highest: bool = False
    trials: Mapping[str, int] = field(default_factory=dict)
    pruned: Sequence[str] = ()
    job: Mapping[str, str] = field(default_factory=dict)
    at_once: int = 0

    @property
    def path(self) -> Path:
        """Its directory: never outside of the folder of sweeps, whatever a run calls its sweep."""
        clean = re.sub(r"[^\w.+-]+", "-", self.name).lstrip(".")[:MOST_FOLDER] or "sweep"
        return runs_dir() / "sweeps" / clean

    def members(self) -> list[Run]:
        """Its runs, oldest first."""
        found = index.entries(runs_dir())
        mine = [name for name, entry in found.items() if entry.sweep == self.name]
        return [Run(runs_dir() / n) for n in sorted(mine, key=lambda n: found[n].created)]

    def save(self) -> None:
        """Write sweep.json."""
        self.path.mkdir(parents=True, exist_ok=True)
        values = asdict(self)
        values |= {"varied": {k: list(v) for k, v in self.varied.items()}}
        values |= {"pruned": list(self.pruned)}
        write_json(self.path / "sweep.json", values)


def load(name: str) -> SweepSpec:
    """The sweep of this name; raises ValueError where there is none, or its file says nothing."""
    known = names()
    if name not in known:
        there = ", ".join(known[:20]) or "none; start one with genlib sweep FAMILY --set ..."
        raise ValueError(f"no sweep is called {name[:80]!r}; there are {there}")
    try:
        values = {**LATER, **read_json(SweepSpec(name).path / "sweep.json")}
    except FileNotFoundError:
        return SweepSpec(name)
    if not all(is_right(values.get(key)) for key, is_right in CHECKS.items()):
        raise ValueError(f"sweep.json of {name} does not say what a sweep does")
    return SweepSpec(name, **{key: values[key] for key in CHECKS})  # type: ignore[arg-type]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and is_fit(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST_COUNT


def _map_to(is_right: Check) -> Check:
    """A check of an object whose values pass another one."""
    return lambda value: (
        isinstance(value, dict) and all(_is_text(k) and is_right(v) for k, v in value.items())
    )


CHECKS: dict[str, Check] = {  # entry of sweep.json -> whether it can be what it says
    "family": _is_text,
    "varied": _map_to(lambda value: _are_texts(value) and value != []),
    "seeds": lambda value: _is_count(value) and 1 <= cast(int, value) <= MOST_RUNS,
    "launcher": lambda value: _is_text(value) and value in LAUNCHERS,
    "search": _is_count,
    "metric": _is_text,
    "highest": lambda value: isinstance(value, bool),
    "trials": _map_to(_is_count),
    "pruned": _are_texts,
    "fixed": _map_to(_is_text),
    "dataset": _is_text,
    "job": _map_to(_is_text),
    "at_once": _is_count,
}


def names() -> list[str]:
    """Every sweep's name, the newest first."""
    folders = (path.parent.name for path in (runs_dir() / "sweeps").glob("*/sweep.json"))
    return list(dict.fromkeys(members()) | dict.fromkeys(sorted(folders)))


def members() -> dict[str, list[Run]]:
    """Every sweep that has runs, the newest first, and its runs, the oldest first."""
    found = index.entries(runs_dir())
    groups: dict[str, list[Run]] = {}
    for name in sorted(found, key=lambda name: found[name].created, reverse=True):
        if found[name].sweep:
            groups.setdefault(found[name].sweep, []).append(Run(runs_dir() / name))
    return {sweep: runs[::-1] for sweep, runs in groups.items()}


def free_name(stem: str) -> str:
    """``stem`` with the next free number; its directory is made, so that no one else takes it."""
    stem = re.sub(r"[^a-z0-9_]+", "-", stem.lower()).strip("-")[:MOST_NAME] or "sweep"
    folder = runs_dir() / "sweeps"
    with exclusive(runs_dir() / ".queue.lock"):
        taken = {*names(), *(path.name for path in folder.glob("*"))}
        name = next(n for i in itertools.count(1) if (n := f"{stem}-{i}") not in taken)
        (folder / name).mkdir(parents=True)
    return name


def check_name(name: str) -> str:
    """A name that a person gives to a new sweep, which is also a directory's.

    Raises ValueError unless it is 1 to 60 letters, digits and ``-_.+``, and free.
    """
    if not re.fullmatch(r"[\w+-][\w.+-]{0,59}", name):
        raise ValueError(
            f"name must have 1 to {MOST_NAME} letters, digits, or any of -_.+, got {name[:80]!r}"
        )
    if name in names():
        raise ValueError(f"there is a sweep called {name}; go on with it by --resume {name}.")
    return name


def grid(values: Mapping[str, Sequence[str]], seeds: Sequence[int]) -> list[dict[str, str]]:
    """Every combination of the settings' values, and of each one run per seed.

    Raises ValueError for too many.
    """
    count = math.prod(len(texts) for texts in values.values()) * len(seeds)
    if count > MOST_RUNS:
        raise ValueError(f"a sweep has at most {MOST_RUNS:,} runs, these are {count:,}")
    names = [*values, "seed"]
    combinations = itertools.product(*values.values(), map(str, seeds))
    return [dict(zip(names, one, strict=True)) for one in combinations]


# ---------------------------------------------------------------------------- what came out


@dataclass(frozen=True)
class Outcome:
    """One setting of a sweep: the runs that have it, and their metrics as (mean, error, n).

    The error is the standard error over seeds, NaN where there is one run only.
    """

    settings: Mapping[str, str]
    runs: Sequence[Run]
    metrics: Mapping[str, tuple[float, float, int]]


def as_text(value: object) -> str:
    """A setting's value as a person writes it: "500,300", "0.1", "true"."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def setting(run: Run, name: str) -> str:
    """The value of one of a run's settings as text, "" where it is the default."""
    spec = run.spec
    found = {**spec.train, **spec.model}.get(name, "")
    return as_text(found)


def results(run: Run) -> dict[str, float]:
    """The metrics of a run's last complete epoch, and those that ``evaluate --write`` added."""
    try:
        info = peek(run.model) if run.model else None
    except CheckpointError:
        return {}
    if info is None:
        return {}
    last = info.history[-1] if info.history else {}
    found = {name: float(value) for name, value in last.items() if name not in LEFT_OUT}
    return found | {name: float(str(m["value"])) for name, m in info.metrics.items()}


def varied(runs: Iterable[Run]) -> list[str]:
    """The settings, other than the seed, in which these runs differ."""
    each = [{**run.spec.train, **run.spec.model} for run in runs]
    every = list(dict.fromkeys(name for one in each for name in one))
    return [
        name
        for name in every
        if name != "seed" and len({as_text(one.get(name, "")) for one in each}) > 1
    ]


def rows(runs: Sequence[Run], names: Sequence[str] | None = None) -> list[Outcome]:
    """The runs by the settings in which they differ, in the order of their start."""
    names = varied(runs) if names is None else names
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(setting(run, name) for name in names), []).append(run)
    return [
        Outcome(dict(zip(names, values, strict=True)), group, summary(map(results, group)))
        for values, group in groups.items()
    ]


def summary(found: Iterable[Mapping[str, float]]) -> dict[str, tuple[float, float, int]]:
    """Metric -> (mean, standard error of the mean, n) over several runs' results."""
    values: dict[str, list[float]] = {}
    for one in found:
        for name, value in one.items():
            values.setdefault(name, []).append(value)
    return {
        name: (fmean(v), stdev(v) / len(v) ** 0.5 if len(v) > 1 else math.nan, len(v))
        for name, v in values.items()
    }


def metrics(table: Sequence[Outcome]) -> list[str]:
    """Every metric of a table: test losses first, then training losses, then the rest."""
    found = {name for row in table for name in row.metrics}
    order = ("test/loss", "test/", "train/")
    rank = {name: next((i for i, p in enumerate(order) if name.startswith(p)), 3) for name in found}
    return sorted(found, key=lambda name: (rank[name], name))


def best(table: Sequence[Outcome], metric: str, highest: bool = False) -> Outcome | None:
    """The row with the lowest mean of a metric, or the highest."""
    known = [row for row in table if metric in row.metrics]
    sign = -1 if highest else 1
    return min(known, key=lambda row: sign * row.metrics[metric][0], default=None)


def as_csv(table: Sequence[Outcome]) -> str:
    """One line per setting: its values, its runs, then each metric's mean, error and n."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = list(table[0].settings) if table else []
    found = metrics(table)
    head = [f"{metric}{part}" for metric in found for part in ("", " stderr", " n")]
    writer.writerow([*names, "runs", *head])
    for row in table:
        cells: list[object] = []
        for metric in found:
            mean, error, n = row.metrics.get(metric, (math.nan, math.nan, 0))
            cells += [_cell(mean), _cell(error), n]
        runs = " ".join(run.id for run in row.runs)
        writer.writerow([*row.settings.values(), runs, *cells])
    return buffer.getvalue()


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.8g}"


def write_table(sweep: SweepSpec, table: Sequence[Outcome]) -> Path:
    """Write ``table.csv``; returns its path."""
    sweep.path.mkdir(parents=True, exist_ok=True)
    path = sweep.path / "table.csv"
    write_bytes(path, as_csv(table).encode())
    return path
