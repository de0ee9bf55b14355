"""``genlib track``: show a run or a sweep in TensorBoard, Weights & Biases or MLflow."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from genlib.environment import runs_dir
from genlib.runs import sweep
from genlib.runs.directory import Run

if TYPE_CHECKING:
    from genlib.tracking.follow import Tracker

LOOK_S = 1.0  # seconds between two looks
# tracker -> the folder below runs/ that it writes to
TRACKERS = {"tensorboard": ".tensorboard", "wandb": ".wandb", "mlflow": ".mlflow"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``track``."""
    parser.add_argument("what", metavar="DIR", help="a run's directory, a sweep's, or its name")
    parser.add_argument("--to", required=True, choices=list(TRACKERS))
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="default: in runs/")
    parser.add_argument("--once", action="store_true", help="take what is there, and don't wait")
    parser.set_defaults(command=track)


def track(options: argparse.Namespace) -> int:
    """Import what is there, and follow what still trains; Ctrl-C ends it, not the training."""
    members = subject(options.what)
    from genlib.tracking.follow import Followers

    into = options.into or runs_dir() / TRACKERS[options.to]
    module = importlib.import_module(f"genlib.tracking.{options.to}")
    make = cast("Callable[[Path], Tracker]", module.Tracker)
    group = Followers(members, lambda: make(into))
    try:
        while group.look() and not options.once:
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        print("genlib: stopped following; the training goes on.", file=sys.stderr)
    finally:
        group.close()
    print(f"{len(group.known)} runs in {into}")
    return 0


def subject(what: str) -> Callable[[], list[Run]]:
    """The runs that a path or a name means; ValueError where it is neither a run nor a sweep."""
    for path in (Path(what), runs_dir() / what):
        if (path / "run.json").is_file():
            return lambda: [Run(path)]
    name = Path(what).name if (Path(what) / "sweep.json").is_file() else what
    if name not in sweep.names():
        raise ValueError(f"{what} is neither a run's directory nor a sweep")
    return sweep.load(name).members
