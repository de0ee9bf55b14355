"""Where the process of a run is started. Nothing else of a run knows.

A launcher is a module of ``genlib/runs/launchers/`` with the functions of ``Launcher``::

    here    a process of this machine; the queue says when
    ray     a job of a Ray cluster, which has a queue of its own
    slurm   a job of a Slurm site, likewise

What all of them start is one command, ``genlib train --run DIR``. It reads and writes the run's
directory and nothing else, so pausing, stopping, the learning rate and going on work through the
directory wherever the process is. That directory has to be seen under the same path by both sides.

A run remembers its launcher in ``launch.json``; a run without that file belongs to ``here``.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol, cast

from genlib import environment
from genlib.files import read_json, write_json
from genlib.runs.directory import Run
from genlib.settings import Settings, is_fit

HERE = "here"
LAUNCHERS = {
    HERE: "a process of this machine",
    "ray": "a job of the Ray cluster",
    "slurm": "a job of the Slurm site",
}
MOST_JOB = 200  # characters of a job's name


class LaunchError(ValueError):
    """A launcher isn't installed or doesn't answer; the message says what to do."""


class Launcher(Protocol):
    """What a module of ``genlib/runs/launchers/`` offers."""

    Options: type[Settings]

    def check(self, options: Settings) -> None:
        """Raise LaunchError unless runs with these ``Options`` can be started from here."""
        ...

    def start(self, *runs: Run) -> list[Run]:
        """Start these runs, or hand them to the engine's own queue; returns those it took.

        Raises LaunchError where the engine can't be asked.
        """
        ...

    def state(self, run: Run) -> str:
        """What the engine says of the run's process: "waiting", "running", "ended", "stopped" (by
        somebody who asked the engine itself), "forgotten" (it knows of no such job, after it was
        started again itself, say), or "" where it can't tell.

        Raises LaunchError where the engine can't be asked.
        """
        ...

    def stop(self, run: Run) -> None:
        """End the process, or take it out of the engine's queue. A run that works is asked through
        its directory first."""
        ...

    def log(self, run: Run) -> str:
        """What was printed around the process, where the run's own log.txt says nothing."""
        ...


@dataclass(frozen=True)
class Launch:
    """What a run remembers of its launcher.

    job: the engine's name for the process, "" until it has one. tries: how often it was
    started since epoch ``epoch`` was its last. options: see the launcher's ``Options``.
    at_once: how many runs of its sweep are handed over at a time, 0 for all.
    """

    launcher: str = HERE
    job: str = ""
    tries: int = 0
    epoch: int = 0
    options: Mapping[str, object] = field(default_factory=dict)
    at_once: int = 0


def chosen(name: str = "") -> str:
    """The launcher of this name, else ``$GENLIB_LAUNCHER``, else ``here``.

    Raises ValueError for an unknown one.
    """
    asked = name or os.environ.get("GENLIB_LAUNCHER", "").strip().lower() or HERE
    if asked not in LAUNCHERS:
        source = "--on" if name else "GENLIB_LAUNCHER"
        raise ValueError(f"{source} must be one of {', '.join(LAUNCHERS)}, got {asked[:40]!r}")
    return asked


def launcher(name: str) -> Launcher:
    """The launcher's module; nothing of its engine is imported yet."""
    return cast(Launcher, importlib.import_module(f"genlib.runs.launchers.{name}"))


def options(name: str, texts: Mapping[str, str] | None = None) -> Settings:
    """What a launcher is to be asked for: ``GENLIB_RAY_CPUS=2`` and the like, then ``texts``.

    Raises ValueError for an unknown name or a bad value.
    """
    known = launcher(name).Options
    variables = {spec.name: f"GENLIB_{name}_{spec.name}".upper() for spec in known.specs()}
    given = {field: os.environ[v] for field, v in variables.items() if os.environ.get(v)}
    if texts and not variables:
        raise ValueError(f"the launcher {name} has no settings, got {', '.join(texts)}")
    return known.parse({**given, **(texts or {})})


def variables() -> dict[str, str]:
    """The environment of a process on another machine: what genlib is told here, with paths that
    hold anywhere, and without what only the server may know."""
    told = {name: value for name, value in os.environ.items() if name.startswith("GENLIB_")}
    told.pop("GENLIB_TEACHER", None)
    paths = (str(environment.root().resolve()), os.environ.get("PYTHONPATH"))
    return {
        **told,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "GENLIB_RUNS": str(environment.runs_dir().resolve()),
        "GENLIB_CHECKPOINTS": str(environment.shipped_dir().resolve()),
    }


def remembered(run: Run) -> Launch:
    """What the run remembers; where it can't be read, a run of this machine."""
    try:
        values = read_json(run.path / "launch.json")
        return _checked(values)
    except (OSError, ValueError):
        return Launch()


def _checked(values: Mapping[str, object]) -> Launch:
    name, job, wished = (values.get(key) for key in ("launcher", "job", "options"))
    tries, epoch, at_once = (values.get(key, 0) for key in ("tries", "epoch", "at_once"))
    sound = isinstance(name, str) and name in LAUNCHERS and isinstance(wished, dict)
    named = isinstance(job, str) and _is_job(job)
    counts = all(type(n) is int and 0 <= n <= 10**9 for n in (tries, epoch, at_once))
    if not sound or not named or not counts:
        raise ValueError("launch.json does not say where the run is started")
    checked = launcher(str(name)).Options.from_dict(cast(dict[str, object], wished)).to_dict()
    return replace(
        Launch(str(name), str(job), options=checked),
        tries=cast(int, tries),
        epoch=cast(int, epoch),
        at_once=cast(int, at_once),
    )


def _is_job(name: str) -> bool:
    """Whether it can be a job's name, "" included. Commands get it: no option, and no path."""
    return len(name) <= MOST_JOB and is_fit(name) and not name.startswith("-") and "/" not in name


def remember(run: Run, launch: Launch) -> None:
    """Keep where the run is started; nothing is written for a run of this machine."""
    if launch.launcher != HERE:
        write_json(run.path / "launch.json", asdict(launch))


def handed_over(run: Run, job: str) -> None:
    """Keep the engine's name of the job that was just submitted."""
    remember(run, replace(remembered(run), job=job))
