"""The command line: what the pages do, from a shell.

A mistake of the user ends with one sentence on the error channel and exit code 2. torch is
imported only by the commands that compute: ``genlib list`` answers at once.

``genlib list --markdown`` writes checkpoints/README.md from the checkpoints' own headers.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from genlib import environment
from genlib.cli import sweep, train
from genlib.runs import sweep as sweeps
from genlib.runs.directory import Run
from genlib.store import checkpoint
from genlib.store.checkpoint import Info
from genlib.store.recipes import RECIPES

if TYPE_CHECKING:
    from genlib.tracking.follow import Tracker


class Parser(argparse.ArgumentParser):
    """argparse, without its page of usage before the one sentence that matters."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with exit code 2."""
        self.exit(2, f"genlib: {message}. See {self.prog} --help.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        environment.check()
        code = int(options.command(options))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `genlib list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"genlib: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("genlib: stopped.", file=sys.stderr)
        return 130


def parser() -> Parser:
    """The commands and their options."""
    top = Parser(prog="genlib", description="Look inside generative models.")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    train.add_options(
        commands.add_parser("train", help="train a model, go on with one, or run a recipe")
    )
    sweep.add_options(
        commands.add_parser("sweep", help="train many settings, here or on a cluster")
    )
    add_track_options(commands.add_parser("track", help="show a run in TensorBoard, W&B or MLflow"))

    list_ = commands.add_parser("list", help="list the checkpoints")
    list_.add_argument(
        "--markdown", action="store_true", help="describe the shipped ones as checkpoints/README.md"
    )
    list_.set_defaults(command=list_checkpoints)
    show_ = commands.add_parser("show", help="describe a checkpoint")
    show_.set_defaults(command=show)
    evaluate_ = commands.add_parser("evaluate", help="measure a checkpoint on the test images")
    evaluate_.add_argument("--n", type=int, help="use only n test images, a random choice")
    evaluate_.add_argument(
        "--write", action="store_true", help="also put the numbers into the file"
    )
    evaluate_.set_defaults(command=evaluate)
    for sub in (list_, show_, evaluate_):
        sub.add_argument("--json", action="store_true", help="print JSON")
    for sub in (show_, evaluate_):
        sub.add_argument("name", help="name of a checkpoint, or a path")

    add_maps_options(
        commands.add_parser("maps", help="rebuild the maps that the Latent map page shows at once")
    )
    download_ = commands.add_parser("download", help="fetch a dataset into the user cache")
    download_.add_argument("dataset", choices=["mnist"])
    download_.set_defaults(command=download)
    return top


def add_maps_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``maps``."""
    parser.add_argument("name", nargs="?", help="of a shipped checkpoint (default: all)")
    parser.add_argument("--force", action="store_true", help="also those that are up to date")
    parser.set_defaults(command=rebuild_maps)


# --------------------------------------------------------------------------------- checkpoints


def checkpoints() -> list[Info]:
    """Shipped checkpoints, uploads, and what runs have given so far."""
    runs = sorted(path.parent for path in environment.runs_dir().glob("*/model.safetensors"))
    folders = [environment.shipped_dir(), environment.uploads_dir(), *runs]
    return [info for folder in dict.fromkeys(folders) for info in checkpoint.listing(folder)]


def find(name: str) -> Info:
    """The checkpoint of this name or path; ValueError says what there is instead."""
    path = Path(name)
    if path.is_dir() and (path / "model.safetensors").is_file():
        return checkpoint.peek(path / "model.safetensors")
    if path.suffix == ".safetensors" or path.is_file():
        return checkpoint.peek(path)
    known = {info.name: info for info in reversed(checkpoints())}
    if name not in known:
        there = ", ".join(sorted(known)) or "none; train one with genlib train"
        raise ValueError(f"no checkpoint is called {name!r}; there are {there}")
    return known[name]


def describe(info: Info) -> dict[str, object]:
    """What a checkpoint says of itself, as plain JSON values; without its training history."""
    return {
        "name": info.name,
        "path": str(info.path),
        "family": info.family,
        "dataset": info.dataset,
        "epoch": info.epoch,
        "seed": info.seed,
        "parameters": info.parameters,
        "bytes": info.size,
        "config": info.config,
        "train": info.train,
        "used": info.used,
        "snapshots": [epoch for epoch, _ in info.snapshots],
        "metrics": info.metrics,
    }


def list_checkpoints(options: argparse.Namespace) -> int:
    """``list``: one line a checkpoint."""
    if options.markdown:
        print(markdown(checkpoint.listing(environment.shipped_dir())), end="")
        return 0
    found = [describe(info) for info in checkpoints()]
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    for d in found:
        print(
            f"{d['name']:20} {d['family']:14} epoch {d['epoch']!s:>4}  {d['parameters']:>9,}"
            f" parameters  {d['path']}"
        )
    if not found:
        print("No checkpoint yet. Train one: genlib train vae", file=sys.stderr)
    return 0


def show(options: argparse.Namespace) -> int:
    """``show NAME``: all that the header says."""
    info = find(options.name)
    described = describe(info)
    if options.json:
        print(json.dumps({**described, "history": info.history}, indent=1))
        return 0
    metrics = described.pop("metrics")
    for key, value in described.items():
        if isinstance(value, dict):
            value = ", ".join(f"{k}={v}" for k, v in value.items())
        print(f"{key:11} {value}")
    print_metrics(metrics if isinstance(metrics, dict) else {})
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """``evaluate NAME``: test numbers with standard errors, of the data it was trained on."""
    info = find(options.name)
    from genlib import devices
    from genlib.data import datasets
    from genlib.evaluate.metrics import evaluate as measure

    def progress(name: str, share: float) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{share:4.0%} {name}", end="", file=sys.stderr, flush=True)

    data = datasets.load(info.dataset, str(info.train.get("classes", "")))
    if options.write and options.n:
        raise ValueError("--write takes all test images: leave out --n")
    if options.write and data.name != info.dataset:
        raise ValueError(f"--write needs the dataset {info.dataset}: {data.note}")
    if data.note:
        print(f"genlib: {data.note}", file=sys.stderr)
    model = checkpoint.load(info, str(devices.device()))
    found = measure(model, data, n=options.n, progress=progress)
    metrics = {name: asdict(metric) for name, metric in found.items()}
    if options.write and metrics:
        checkpoint.save_metrics(info, metrics)
    if options.json:
        print(json.dumps({"name": info.name, "metrics": metrics}, indent=1))
    else:
        print_metrics(metrics)
    if not metrics:
        print(
            f"genlib: there is nothing to measure: no metric fits {info.name} ({info.family}) on "
            f"{data.title}",
            file=sys.stderr,
        )
    return 0


def print_metrics(metrics: dict[str, dict[str, object]]) -> None:
    """One line a metric: value ± standard error, unit, number of images, data."""
    for name, m in metrics.items():
        print(
            f"{name:22} {m['value']:.5g} ± {m['stderr']:.2g} {m['unit']} (n={m['n']}, {m['data']})"
        )


def rebuild_maps(options: argparse.Namespace) -> int:
    """``maps``: compute the t-SNE maps of shipped checkpoints and store them next to the files."""
    from genlib.explore import maps

    known = [i for i in checkpoint.listing(environment.shipped_dir()) if maps.has_maps(i)]
    chosen = [i for i in known if options.name in (None, i.name)]
    if not chosen:
        there = ", ".join(i.name for i in known) or "none"
        which = "" if options.name is None else f" {options.name!r}"
        raise ValueError(f"no model{which} has maps; choose one of {there}")
    for info in chosen:
        if maps.is_current(info) and not options.force:
            print(f"{maps.file_of(info.path)}: up to date")
            continue
        found = maps.compute(info, lambda text: print(text, file=sys.stderr, flush=True))
        path = maps.write(info.path, found)
        print(f"{path}: {len(found.positions)} maps, {path.stat().st_size / 1000:.0f} kB")
    return 0


def download(options: argparse.Namespace) -> int:
    """``download mnist``: fetch the images, with progress; checksums are verified."""
    from genlib.data.datasets import download_mnist, find_mnist

    download_mnist(lambda share: print(f"{options.dataset}: {share:.0%}", file=sys.stderr))
    print(find_mnist())
    return 0


HEAD = """# Checkpoints

Models that come with genlib, trained on MNIST's 60,000 training images and measured on its 10,000
test images, but for those whose table names CIFAR-10. `genlib list --markdown` prints this page
from the files' own headers; `genlib evaluate NAME` measures one again. Each `train` command
rebuilds its file, in its recipe's number format
on one thread, so the same machine gives the same weights; another one
may differ in the last digits. Weights are stored in float16, and the numbers below are those of the
stored weights.

No third set of images was held out. The test loss was computed and recorded after every epoch; it
stopped no training and chose no epoch (the last one is kept), but the people who chose settings and
numbers of epochs had seen test numbers, so these may flatter a little.

± is one standard error over test images; for `frechet` also over the samples, for the AUC of a VAE
also over its noise, several draws of which are averaged. AUC: the chance that a merge of two
different digits has more energy than a real one, for 0.5a + 0.5b (`alpha`), max(a, b) (`max`) and
the top of a on the bottom of b (`splice`). Energy is the model's own: squared reconstruction error
for autoencoders, −ELBO for VAEs, whose squared error tells less; `correlation` is the
contrast-invariant energy, 1 − correlation of image and reconstruction.
Likelihoods on grey pixels and on dynamically binarized pixels are not comparable with each other,
nor with the fixed binarization of much of the literature. `nll` is exact, `nll_ais` rests on
annealed importance sampling, `nll_density` is of grey pixels as real numbers and may be below zero.
`frechet` is the squared Fréchet distance in the features of the classifier that its row names.
`classes_covered` leaves out samples whose features resemble those of noise more than those of real
images: the classifier is certain that uniform noise is an 8.
"""


TRAINING_IMAGES = {"mnist": 60_000, "cifar10": 50_000, "cifar10-64": 50_000}


def markdown(infos: Sequence[Info]) -> str:
    """The whole page: (checkpoints with their metrics) -> Markdown."""
    total = sum(path.stat().st_size for info in infos for _, path in info.snapshots)
    parts = [HEAD, f"All files together: {total / 1e6:.1f} MB.\n"]
    return "\n".join([*parts, *(_section(info) for info in infos)])


def _section(info: Info) -> str:
    recipe = RECIPES.get(info.name)
    epochs = ", ".join(str(epoch) for epoch, _ in info.snapshots)
    lines = [f"## {info.name}", "", recipe.text if recipe else f"A {info.family}.", ""]
    if recipe:
        lines += [f"`genlib train --recipe {info.name}`", ""]
    lines += [
        f"{info.parameters:,} numbers, {info.size / 1e6:.2f} MB, seed {info.seed}; "
        f"epoch{'s' if ',' in epochs else ''} {epochs}.",
        _training(info),
        "",
        "| metric | value | unit | images | data |",
        "|---|---|---|---|---|",
    ]
    for name, m in info.metrics.items():
        value, error = float(str(m["value"])), float(str(m["stderr"]))
        shown = f"{value:.5g} ± {error:.2g}" if error else f"{value:.5g}"
        lines.append(f"| `{name}` | {shown} | {m['unit']} | {int(str(m['n'])):,} | {m['data']} |")
    return "\n".join(lines) + "\n"


def _training(info: Info) -> str:
    """How many images it was trained on, how often, and whether test numbers were looked at."""
    steps = [0, *(int(row["step"]) for row in info.history)]
    batch = int(str(info.train.get("batch_size", 0)))
    if len(steps) < 2 or not batch:
        return "How it was trained is not recorded."
    classes = str(info.train.get("classes", ""))
    limit = int(str(info.train.get("limit", 0)))
    # The header knows batches; the whole sets that ship are of known size.
    n = TRAINING_IMAGES.get(info.dataset, 0) if not classes else 0
    count = f"{limit or n:,}" if n else f"at most {(steps[-1] - steps[-2]) * batch:,}"
    of = f"{info.dataset} ({classes})" if classes else info.dataset
    watched = any(key.startswith("test/") for row in info.history for key in row)
    looked = "recorded after every epoch" if watched else "not looked at"
    return (
        f"Trained on {count} images of {of} for {info.epoch} epoch{'s' * (info.epoch != 1)} "
        f"({steps[-1]:,} steps of {batch}); test loss {looked}."
    )


# ------------------------------------------------------------------------------ trackers

LOOK_S = 1.0  # seconds between two looks
# tracker -> the folder below runs/ that it writes to
TRACKERS = {"tensorboard": ".tensorboard", "wandb": ".wandb", "mlflow": ".mlflow"}


def add_track_options(parser: argparse.ArgumentParser) -> None:
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

    into = options.into or environment.runs_dir() / TRACKERS[options.to]
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
    for path in (Path(what), environment.runs_dir() / what):
        if (path / "run.json").is_file():
            return lambda: [Run(path)]
    name = Path(what).name if (Path(what) / "sweep.json").is_file() else what
    if name not in sweeps.names():
        raise ValueError(f"{what} is neither a run's directory nor a sweep")
    return sweeps.load(name).members
