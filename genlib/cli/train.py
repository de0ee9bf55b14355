"""``genlib train``: in the foreground for a person, in the background for the queue."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from genlib import background, environment
from genlib.files import take
from genlib.runs import queue
from genlib.runs.directory import BEAT_S, SILENT_S, Run, RunSpec, signature, specs_of
from genlib.runs.launch import LAUNCHERS
from genlib.runs.launchers import spare

if TYPE_CHECKING:
    from genlib.settings import Event, TrainSettings

# What a recipe, or a run that goes on, already has.
FIXED = {
    "recipe": ("set", "epochs", "seed", "name", "on"),
    "resume": ("set", "epochs", "seed", "name", "on", "out"),
}


def add_subject(parser: argparse.ArgumentParser) -> None:
    """What is trained on which pictures, for all commands that start a training."""
    parser.add_argument("family", nargs="?", help="autoencoder, denoising, vae, ...")
    parser.add_argument(
        "--dataset",
        default="mnist",
        help="mnist, digits, cifar10, or a folder or zip of pictures (default: mnist)",
    )
    parser.add_argument(
        "--size", type=int, default=32, help="of a folder's pictures: 28, 32 or 64 px"
    )
    parser.add_argument("--grey", action="store_true", help="a folder's pictures without colour")
    parser.add_argument("--epochs", help="passes over the training images")
    parser.add_argument("--seed", help="seed of weights, order and noise")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``train``; the queue's own two are not in the help."""
    add_subject(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="a setting; repeatable, the last one counts",
    )
    parser.add_argument("--out", type=Path, help="directory to make (default: in runs/)")
    parser.add_argument("--name", default="", help="name of the run")
    parser.add_argument("--resume", type=Path, metavar="DIR", help="go on with an interrupted run")
    parser.add_argument("--recipe", metavar="NAME", help="rebuild a shipped checkpoint")
    parser.add_argument(
        "--on", choices=list(LAUNCHERS), help="start it there in the background, and come back"
    )
    parser.add_argument("--run", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    parser.add_argument("--lock-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--spare", type=int, metavar="FD", help=argparse.SUPPRESS)
    parser.add_argument("--patience", type=float, default=0.0, help=argparse.SUPPRESS)
    parser.set_defaults(command=train)


def train(options: argparse.Namespace) -> int:
    """Train in one of four ways: a family, a recipe, an old run, or (for the queue) a given run."""
    ways = {
        "family": train_family,
        "recipe": train_recipe,
        "resume": train_resume,
        "run": train_queued,
        "spare": train_spare,
    }
    given = [way for way in ways if getattr(options, way) not in (None, "")]
    if len(given) != 1:
        raise ValueError("give either a FAMILY, --recipe NAME or --resume DIR, and only one")
    for option in FIXED.get(given[0], ()):
        if getattr(options, option):
            raise ValueError(f"--{given[0]} has its own settings: leave out --{option}")
    return ways[given[0]](options)


def train_family(options: argparse.Namespace) -> int:
    """``train FAMILY``: make a run's directory and train in the foreground."""
    if options.on:
        if options.out:
            raise ValueError("--on makes the directory in runs/: leave out --out")
        run = queue.start(spec_of(options), on=options.on)
        print(f"{run.state}: {run.path}")
        return 0
    run = queue.create(spec_of(options), options.out)
    try:
        with _held(run):
            return _foreground(run)
    except Exception:
        queue.discard_unstarted(run)
        raise


def spec_of(options: argparse.Namespace) -> RunSpec:
    """The run that ``train FAMILY --set ...`` asks for; ValueError says what is wrong with it."""
    texts = pairs(options.set)
    texts |= {k: v for k in ("epochs", "seed") if (v := getattr(options, k)) is not None}
    model, settings = settings_of(options.family, texts)
    return checked(options.family, dataset_of(options), model, settings, options.name)


def pairs(given: Sequence[str], option: str = "--set") -> dict[str, str]:
    """["field=value"] as a dict; ValueError for anything else."""
    texts: dict[str, str] = {}
    for pair in given:
        field, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{option} takes FIELD=VALUE, got {pair!r}")
        texts[field.strip()] = value
    return texts


def settings_of(name: str, texts: Mapping[str, str]) -> tuple[dict[str, object], TrainSettings]:
    """What the settings given as text are for a family: the model's own, and the training's."""
    from genlib.models import FAMILIES
    from genlib.settings import TrainSettings

    if name not in FAMILIES:
        raise ValueError(f"unknown family {name!r}; choose one of {', '.join(FAMILIES)}")
    family = FAMILIES[name]
    of_train = {spec.name for spec in TrainSettings.specs()}
    of_model = {spec.name for spec in family.Config.specs()} - of_train
    for field in texts.keys() - of_train - of_model:
        known = ", ".join(sorted(of_model | of_train))
        raise ValueError(f"unknown setting {field!r}; choose one of {known}")
    model = family.Config.parse({k: v for k, v in texts.items() if k in of_model}).to_dict()
    model = {k: v for k, v in model.items() if k in texts}
    train_texts = {k: v for k, v in texts.items() if k in of_train}
    given = {k: v for k, v in TrainSettings.parse(train_texts).to_dict().items() if k in texts}
    return model, TrainSettings.from_dict({**family.defaults, **given})


def checked(
    family: str, dataset: str, model: dict[str, object], settings: TrainSettings, name: str
) -> RunSpec:
    """The run with these settings. An unknown dataset or class, and images that the family cannot
    take, are said now, as a ValueError."""
    from genlib.data.datasets import load
    from genlib.training import loop

    loop.check(family, model, load(dataset), settings)
    if name:
        queue.check_name(name)
    return RunSpec(family, dataset, model, settings.to_dict(), name)


def dataset_of(options: argparse.Namespace) -> str:
    """The name of the dataset asked for, which is here or decoded now."""
    return _fetch(_shelved(options))


def _shelved(options: argparse.Namespace) -> str:
    """The name of the dataset asked for; a folder or a zip of pictures becomes one."""
    from genlib.data import datasets
    from genlib.data.pictures import registry

    name = str(options.dataset)
    if name in datasets.available() or name.startswith(registry.PREFIX):
        return name
    path = Path(name)
    if not path.exists() and os.sep not in name:
        return name
    colour = "grey" if options.grey else "colour"
    entry = registry.register(path, options.size, colour)
    print(f"{path} is the dataset {entry.name}", file=sys.stderr)
    return entry.name


def _fetch(dataset: str, substitute: bool = True) -> str:
    """Download MNIST where it is asked for, missing, and the network allows; say what serves.
    Decode pictures with progress. Returns the name again.

    Raises ConnectionError where MNIST can't be downloaded and nothing may be a ``substitute``.
    """
    from genlib.data import datasets

    if dataset == "mnist" and not datasets.find_mnist():
        print("MNIST is not here; downloading it (11 MB) ...", file=sys.stderr)
        try:
            datasets.download_mnist(lambda share: print(f"  {share:.0%}", file=sys.stderr))
        except ConnectionError as error:
            if not substitute:
                raise
            print(f"genlib: {error}", file=sys.stderr)
            print(f"genlib: {datasets.load('mnist').note}", file=sys.stderr)
    elif dataset != "mnist":
        datasets.prepare(dataset, _decoding)
        if note := datasets.load(dataset).note:
            print(f"genlib: {note}", file=sys.stderr)
    return dataset


def _decoding(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\rdecoding {done:,} of {total:,} pictures", end=end, file=sys.stderr, flush=True)


def train_resume(options: argparse.Namespace) -> int:
    """``train --resume DIR``: go on from the last complete epoch, in the foreground.

    A learning rate that was changed during the training is kept.
    """
    run = Run(options.resume)
    if not (run.path / "run.json").is_file():
        raise ValueError(f"{options.resume} is not the directory of a run.")
    with _held(run):
        if run.state == "finished":
            raise ValueError(f"{run.name} is finished; there is nothing to go on with.")
        run.ask(pause=False, stop=False)
        return _foreground(run)


@contextmanager
def _held(run: Run) -> Iterator[None]:
    """Hold the run's lock for the block. Raises ValueError where another process trains the run."""
    lock = take(run.lock)
    if lock is None:
        raise ValueError(f"{run.name} is being trained by another process.")
    try:
        if run.beats:
            raise ValueError(
                f"{run.name} is being trained on another machine. If that has just ended, try "
                "again in a minute."
            )
        yield
    finally:
        os.close(lock)


def _foreground(run: Run) -> int:
    from genlib.runs.worker import work

    print(f"training into {run.path}", file=sys.stderr)
    state = work(run, Progress())
    print(f"{state}: {run.model or 'no complete epoch yet'}")
    if state == "stopped":
        print(f"go on with: genlib train --resume {run.path}", file=sys.stderr)
        return 130
    return 0


def train_queued(options: argparse.Namespace) -> int:
    """``train --run DIR``: what a launcher starts. A child trains, this process waits.

    The parent needs none of torch's memory. Should the child be killed, for want of memory say,
    the runs behind it get their turn with no app there to notice, and a run of a cluster is handed
    over again.
    """
    run = Run(options.run)
    here = options.lock_fd is not None
    lock = options.lock_fd if here else take(run.lock)
    if lock is None or not (here or _alone(run)):
        raise ValueError(f"{run.name} is being trained by another process.")
    return _supervise(lambda: run, lock, None if here else run)


def _alone(run: Run) -> bool:
    """Whether no process of another machine trains the run; one that has just died is waited for.

    A cluster may start a run again while its old process lives: it lost sight of it.
    """
    until = time.monotonic() + 2 * SILENT_S
    while run.beats and time.monotonic() < until:
        time.sleep(1.0)
    return not run.beats


def train_spare(options: argparse.Namespace) -> int:
    """``train --spare FD``: the same, but the child waits for its run with everything imported."""

    def given() -> Run | None:
        import genlib.runs.worker  # noqa: F401  seconds that Start then need not wait

        path = spare.receive(options.spare, options.patience)
        return None if path is None else Run(path)

    return _supervise(given, options.spare)


def _supervise(given: Callable[[], Run | None], held: int, elsewhere: Run | None = None) -> int:
    """Wait for a child that trains the run it is given.

    held: a descriptor for the child alone, whose life counts. elsewhere: the run, where it is
    trained on another machine than the app's.
    """
    if elsewhere is None:
        os.nice(10)  # the pages come first
    else:
        # Slurm signals every process of a job; the one that started this one says what it means.
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        if elsewhere is not None:
            beat = partial(_beat, elsewhere, os.getppid())
            background.start(beat, "genlib-beat", polite=False)
        _in_child(given)
    os.close(held)
    signal.signal(signal.SIGTERM, lambda number, frame: os.kill(child, number))
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == spare.UNUSED:
        return 0
    if os.WIFSIGNALED(status):
        queue.tidy()
        print(f"The training process was ended by signal {os.WTERMSIG(status)}.", file=sys.stderr)
    if elsewhere is not None and elsewhere.claimed == signature(child):
        elsewhere.beat.unlink(missing_ok=True)
    queue.advance()
    return 0 if status == 0 else 1


def _beat(run: Run, parent: int) -> None:
    """Show that the training lives, to machines that may not see its lock.

    It ends when another process has claimed the run, at once, since that one goes on from the last
    complete epoch; and when the process that waits for it is gone, since the cluster then believes
    that it has ended.
    """
    mine = run.claim()
    while not background.ending.wait(BEAT_S):
        if run.claimed not in (mine, ""):
            print("Another process trains this run: this one ends.", file=sys.stderr, flush=True)
            os._exit(1)
        with suppress(OSError):  # a shared disk that hesitates: the next beat is heard again
            os.utime(run.beat)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _in_child(given: Callable[[], Run | None]) -> NoReturn:
    code = 1
    try:
        if run := given():
            from genlib.runs.worker import work

            print(f"{time.ctime()}: {work(run, Lines())}")
        code = 0 if run else spare.UNUSED
    except BaseException:  # noqa: BLE001  the forked child must never return into its parent's code
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:  # also where the log can't be written, on a full disk
            os._exit(code)


def train_recipe(options: argparse.Namespace) -> int:
    """``train --recipe NAME``: rebuild a shipped checkpoint."""
    from genlib.runs.worker import build_recipe
    from genlib.store.recipes import RECIPES

    specs_of(options.recipe)  # an unknown one is said before anything is made or fetched
    folder = options.out or environment.shipped_dir()
    if folder.exists():  # a file in the way is said before the fetch, too
        queue.new_directory(folder)
    _fetch(RECIPES[options.recipe].dataset, substitute=False)
    queue.new_directory(folder)
    print(build_recipe(options.recipe, folder, Progress()))
    return 0


class Progress:
    """A progress bar on the error channel, one line per epoch; plain lines without a terminal."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()

    def __call__(self, event: Event) -> None:
        m = event.metrics
        if event.kind == "epoch":
            print(f"{self._clear()}epoch {event.epoch}: {losses(m)}", file=sys.stderr)
        elif self.live:
            share = event.step / m["steps"]
            width = max(10, min(40, shutil.get_terminal_size().columns - 60))
            bar = "█" * round(share * width)
            text = f"{share:4.0%} {bar:░<{width}} {m['images_per_s']:,.0f} images/s, "
            text += f"{m['seconds_left']:.0f} s left, loss {m['train/loss']:.4g}"
            print(self._clear() + text, end="", file=sys.stderr, flush=True)

    def _clear(self) -> str:
        return "\r\x1b[K" if self.live else ""


class Lines:
    """One line an epoch, for log.txt."""

    def __call__(self, event: Event) -> None:
        if event.kind == "epoch":
            print(f"epoch {event.epoch}: {losses(event.metrics)}", flush=True)


def losses(metrics: dict[str, float]) -> str:
    """Loss terms as text: "train/loss 105.2, test/loss 106.1"."""
    return ", ".join(f"{k} {v:.5g}" for k, v in metrics.items() if "/" in k)
