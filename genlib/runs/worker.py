"""Train what a run's directory asks for, and keep what comes out of it; build recipes of runs.

``work`` is the body of a training process. Everything it learns goes to files at once, in an order
that makes any interruption harmless: an epoch's picture, its line in the event log, the state to go
on from, then its checkpoints. Whoever goes on from that state first writes those that are missing,
and marks in the log what was lost after it.
"""

from __future__ import annotations

import io
import logging
import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import numpy as np
import torch
from torch import Tensor

from genlib import devices, environment
from genlib.data import datasets
from genlib.data.datasets import Dataset
from genlib.environment import DiskFullError, LimitError
from genlib.evaluate.metrics import evaluate
from genlib.files import is_full, move, write_bytes
from genlib.models import Model
from genlib.runs import events
from genlib.runs.directory import Run, RunSpec, specs_of
from genlib.runs.queue import create
from genlib.settings import Control, Event, TrainSettings
from genlib.store import checkpoint
from genlib.store.checkpoint import CheckpointError
from genlib.training import loop
from genlib.training.state import State, from_checkpoint, load_state, save_state, start

LOG = logging.getLogger(__name__)

RESERVE = "reserve"  # kept in the run's directory while it trains, so that a full disk can be told
RESERVED = 65_536  # bytes
COUNT_S = 5.0  # seconds between two counts of all files, at least
COUNT_SHARE = 0.02  # of the time, for counting them
Watch = Callable[[Event], None]


class Interrupt:
    """Turns Ctrl-C and a termination signal into a wish to stop; a second one ends at once."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def work(run: Run, watch: Watch, begin: Path | None = None) -> str:
    """Train the run to its end or until it is stopped; returns its final state.

    Goes on from the last complete epoch where there is one; else it starts from fresh weights, or
    those of the checkpoint ``begin``. Raises ValueError for settings that cannot be trained;
    whatever is raised, the run's status says so first.
    """
    reserve = run.path / RESERVE
    interrupt = Interrupt()
    try:
        write_bytes(reserve, os.urandom(RESERVED))
        write_bytes(run.path / "pid", str(os.getpid()).encode())
        run.set_status("running", time.time())
        stopped = _train(run, interrupt, watch, begin)
    except Exception as error:
        reserve.unlink(missing_ok=True)
        run.set_status("failed", time.time(), _sentence(error))
        raise
    reserve.unlink(missing_ok=True)
    state = "stopped" if stopped else "finished"
    run.set_status(state, time.time(), run.message)
    return state


def _sentence(error: Exception) -> str:
    if isinstance(error, DiskFullError) or is_full(error):
        return (
            "The disk is full, so the training stopped. Delete runs or uploads that are no longer "
            "needed, or free some space; Resume then goes on from the last complete epoch."
        )
    if isinstance(error, LimitError):
        return f"{error} Resume then goes on from the last complete epoch."
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "Out of memory. Try a smaller batch_size or a smaller model."
    return f"Training stopped because of an unexpected {type(error).__name__}; see log.txt."


def _train(run: Run, interrupt: Interrupt, watch: Watch, begin: Path | None) -> bool:
    spec = run.spec
    settings = TrainSettings.from_dict(spec.train)
    data, model = prepare(spec, settings)
    if begin:
        model.load_state_dict(checkpoint.load(begin).state_dict())
    state = _state(run, model, settings)
    data = _as_before(run, data, state)
    shown = data.only(settings.classes)
    spec = replace(spec, dataset=data.name)  # where MNIST is missing, others served: say so
    room = _Room(run)
    room.take(_growth(run, spec, model, state))
    if state.epoch == 0 or not _is_saved(run, spec, state.epoch):
        _save_epoch(run, spec, model, settings, state)
    if state.epoch == 0:
        _save_preview(run, 0, loop.preview(model, shown))
    # "resume" also when nothing was kept: a start that was killed may have left lines behind.
    events.append(run.log, Event("resume", state.step, state.epoch, time.time()))
    control = _control(run, interrupt)
    if control().stop:
        return True
    written = -math.inf  # seconds of training at the last line in the event log
    for event in loop.train(model, data, settings, state, control):
        if event.kind == "epoch":
            images = loop.preview(model, shown)
            room.take(_growth(run, spec, model, state, images))
            _save_preview(run, event.epoch, images)
        seconds = event.metrics["seconds"]
        if event.kind == "epoch" or seconds - written >= events.pause(seconds):
            events.append(run.log, event)
            written = seconds
        if event.kind == "epoch":
            save_state(run.state_file, model, state)
            _save_epoch(run, spec, model, settings, state)
        watch(event)
    return state.stopped and state.epoch < settings.epochs


def _state(run: Run, model: Model, settings: TrainSettings) -> State:
    """Where the training goes on: after its last complete epoch, or at the start.

    Where the saved state is damaged or missing, the newest sound checkpoint gives its weights, with
    a fresh optimizer, and the run's message says so. A damaged file is kept under another name.
    Raises CheckpointError when the run has checkpoints and none of them can be read.
    """
    problem = f"{run.state_file.name} is missing."
    if run.resumable:
        try:
            return load_state(run.state_file, model, settings)
        except CheckpointError as error:
            problem = str(error)
            move(run.state_file, run.state_file.with_suffix(".damaged"))
    elif not run.trained():
        return start(model, settings)
    state = _newest_weights(run, model, settings, problem)
    where = f"from the weights of epoch {state.epoch}" if state.epoch else "from the beginning"
    said = f"{problem} The run continued {where}, with a fresh optimizer."
    run.set_status("running", time.time(), said)
    return state


def _newest_weights(run: Run, model: Model, settings: TrainSettings, problem: str) -> State:
    kept = run.trained()
    for path in kept:
        try:
            return from_checkpoint(path, model, settings)
        except CheckpointError as error:
            LOG.warning("%s", error)
    if kept:
        raise CheckpointError(f"{problem} Its checkpoints can't be read either. Start a new run.")
    return start(model, settings)


def _as_before(run: Run, data: Dataset, state: State) -> Dataset:
    """The images that the training began on: those that served for MNIST still do once it is there.

    Raises ValueError where they are no longer here. A state of an earlier version doesn't say what
    they were; then the run's checkpoints tell their name.
    """
    if state.epoch == 0:
        return data
    kept = checkpoint.listing(run.path, run.path / "snapshots")
    name = state.dataset or next((info.dataset for info in kept), data.name)
    if name != data.name:
        data = datasets.load(name)
    found = len(data.train_x)
    if (data.name, found) != (name, state.images or found):
        images = f"{state.images:,} training images of " if state.images else ""
        raise ValueError(
            f"This run was trained on {images}{name}, but here are {found:,} of {data.name}: bring "
            "the same images back (for MNIST, set GENLIB_DATA to their folder), or start a new run."
        )
    return data


def prepare(spec: RunSpec, settings: TrainSettings) -> tuple[Dataset, Model]:
    """The data and the untrained model, on the device, that a run asks for."""
    data = datasets.load(spec.dataset)
    torch.manual_seed(settings.seed)  # dropout layers draw from the process's own generator
    model = loop.build(spec.family, dict(spec.model), data, settings.seed)
    return data, model.to(devices.device())


def _save_preview(run: Run, epoch: int, images: Tensor | None) -> None:
    if images is None:
        return
    buffer = io.BytesIO()
    np.save(buffer, images.numpy())
    (run.path / "previews").mkdir(exist_ok=True)
    write_bytes(run.path / "previews" / f"epoch-{epoch:04d}.npy", buffer.getvalue())


def _files(run: Run, spec: RunSpec, epoch: int) -> list[Path]:
    """The checkpoints due at an epoch: the run's newest, and a snapshot if it is one."""
    paths = []
    if epoch > 0:
        paths.append(run.path / "model.safetensors")
    if epoch in spec.snapshots:
        paths.append(run.path / "snapshots" / f"epoch-{epoch:04d}.safetensors")
    return paths


def _is_saved(run: Run, spec: RunSpec, epoch: int) -> bool:
    """Whether the epoch's checkpoints are there, too: its state is written before them."""
    try:
        return all(checkpoint.peek(path).epoch >= epoch for path in _files(run, spec, epoch))
    except CheckpointError:
        return False


def _save_epoch(
    run: Run, spec: RunSpec, model: Model, settings: TrainSettings, state: State
) -> None:
    """Save the checkpoints due at this epoch."""
    for path in _files(run, spec, state.epoch):
        checkpoint.save(
            path,
            model,
            name=run.name,  # read again: it may have been renamed since
            dataset=spec.dataset,
            seed=settings.seed,
            epoch=state.epoch,
            train=settings.to_dict(),
            used=state.used,
            history=state.history,
        )


class _Room:
    """Keeps what a run writes within the limits of the disk that all runs and uploads share.

    Counting their files takes longer than a short epoch. Between two counts only what this run adds
    is subtracted. A run in another folder has no such limits.
    """

    def __init__(self, run: Run) -> None:
        self.folder = environment.runs_dir()
        self.limited = self.folder.resolve() in run.path.resolve().parents
        self.left, self.count_at = 0, -math.inf

    def take(self, more: int) -> None:
        """Raise LimitError unless the run may grow by ``more`` bytes."""
        began = time.monotonic()
        if not self.limited:
            return
        if began < self.count_at and more <= self.left:
            self.left -= more
            return
        self.left = environment.check_disk(self.folder, more)
        ended = time.monotonic()
        self.count_at = ended + max(COUNT_S, (ended - began) / COUNT_SHARE)


def _growth(
    run: Run, spec: RunSpec, model: Model, state: State, images: Tensor | None = None
) -> int:
    """Bytes that an epoch's tensors take in files, beyond the files that they replace."""
    weights = sum(t.nbytes for t in model.state_dict().values())
    kept = [o.state_dict()["state"].values() for o in state.optimizers.values()]
    values = (value for each in kept for entries in each for value in entries.values())
    sizes = dict.fromkeys(_files(run, spec, state.epoch), weights)
    sizes[run.state_file] = weights + sum(torch.as_tensor(value).nbytes for value in values)
    before = {path: path.stat().st_size if path.exists() else 0 for path in sizes}
    more = sum(max(0, size - before[path]) for path, size in sizes.items())
    return more + (0 if images is None else images.nbytes)


def _control(run: Run, interrupt: Interrupt) -> Callable[[], Control]:
    """What the loop asks several times a second; tells the status when a pause begins or ends."""
    paused = False

    def control() -> Control:
        nonlocal paused
        wish = run.control
        stop = wish.stop or interrupt.asked
        pause = wish.pause and not stop
        if pause != paused:
            paused = pause
            run.set_status("paused" if paused else "running", time.time(), run.message)
        return Control(pause, stop, wish.lr)

    return control


def going_on(
    past: list[dict[str, float]], history: list[dict[str, float]]
) -> list[dict[str, float]]:
    """The history of a training after another one: epochs and steps are counted on."""
    if not past:
        return history
    epoch, step = past[-1]["epoch"], past[-1]["step"]
    later = [{**h, "epoch": h["epoch"] + epoch, "step": h["step"] + step} for h in history]
    return [*past, *later]


def build_recipe(name: str, folder: Path, watch: Watch, *, measure: bool = True) -> Path:
    """Train a recipe into ``folder/NAME.safetensors`` (float16) and ``NAME.snapshots/``.

    Its runs live in a temporary folder, and only what ships is kept. ``measure`` adds the test
    numbers, taken from the stored weights. Raises ValueError for an unknown name, KeyboardInterrupt
    when stopped: a recipe is whole or not at all.
    """
    specs = specs_of(name)
    data = datasets.load(specs[0].dataset)
    if data.name != specs[0].dataset:
        raise ValueError(
            f"the recipe {name} needs the dataset {specs[0].dataset}, which isn't here; other "
            "pictures would give another model. Put it into data/ or $GENLIB_DATA"
        )
    path = folder / f"{name}.safetensors"
    with TemporaryDirectory() as place:
        trained: list[Run] = []
        for spec in specs:
            begin = trained[-1].model if trained else None
            trained.append(create(spec, Path(place) / str(len(trained))))
            if work(trained[-1], watch, begin) == "stopped":
                raise KeyboardInterrupt
        _ship(trained, path)
    if measure:
        classes, info = str(specs[0].train["classes"]), checkpoint.peek(path)
        found = evaluate(checkpoint.load(info, str(devices.device())), data.only(classes))
        checkpoint.save_metrics(info, {key: asdict(metric) for key, metric in found.items()})
    return path


def _ship(trained: list[Run], path: Path) -> None:
    """Store what a recipe's runs kept, in float16, as the epochs of one training."""
    past: list[dict[str, float]] = []  # history of the trainings before this one
    for run in trained:
        assert run.model is not None, "the run is finished"
        newest, spec = checkpoint.peek(run.model), run.spec
        before = int(past[-1]["epoch"]) if past else 0
        places = {
            path.with_suffix(".snapshots") / f"epoch-{epoch + before:04d}.safetensors": file
            for epoch, file in newest.snapshots
            if epoch in spec.snapshots
        }
        if run is trained[-1]:
            places[path] = newest.path
        for place, file in places.items():
            info = checkpoint.peek(file)
            checkpoint.save(
                place,
                checkpoint.load(info),
                name=path.stem,
                dataset=info.dataset,
                seed=int(str(trained[0].spec.train["seed"])),
                epoch=info.epoch + before,
                train=info.train,
                used=info.used,
                history=going_on(past, info.history),
                half=True,
            )
        past = going_on(past, newest.history)
