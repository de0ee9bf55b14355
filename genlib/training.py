"""Training is a generator of events: observers draw, the loop computes.

What makes an epoch short on a CPU: the whole dataset is one uint8 tensor, an epoch is a shuffled
``index_select``; Adam is fused; the losses are summed as tensors and read a few times a second,
never once a step; the number format and the number of threads are measured, not guessed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor

from genlib.checkpoint import header, write_tensors
from genlib.datasets import Dataset, batches, to_float
from genlib.models.base import FAMILIES, Model, Reconstructs, Samples
from genlib.settings import TrainSettings

Autocast = Callable[[], AbstractContextManager[object]]
EVERY = 0.25  # seconds between two step events


@dataclass(frozen=True)
class Event:
    """What happened up to a step.

    ``metrics`` holds ``train/<loss term>`` (mean since the last event), ``lr``, ``images_per_s``,
    ``seconds`` (of training so far) and ``seconds_left``; at the end of an epoch (``kind``
    "epoch") the train terms are means over the epoch and ``test/<loss term>`` is added.
    ``preview`` is uint8 (N, C, H, W) at the end of an epoch.
    """

    step: int
    epoch: int
    steps: int  # in the whole training
    kind: Literal["step", "epoch"]
    metrics: dict[str, float]
    preview: Tensor | None = None


@dataclass(frozen=True)
class Control:
    """What the watcher asks of the loop; read a few times a second."""

    pause: bool = False
    stop: bool = False
    lr: float | None = None  # replaces the learning rate of the settings


@dataclass
class State:
    """All that the loop needs to go on where it was, at the end of an epoch."""

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    rng: torch.Generator = field(default_factory=torch.Generator)
    optimizers: dict[str, torch.optim.Optimizer] = field(default_factory=dict)
    stopped: bool = False


def build(family: str, config: dict[str, object], data: Dataset, seed: int) -> Model:
    """A fresh model of a family for a dataset; its weights follow from the seed.

    Raises ValueError for an unknown family or bad settings.
    """
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; known are {', '.join(FAMILIES)}")
    channels, size, _ = data.shape
    cls = FAMILIES[family]
    settings = cls.Config.from_dict({"channels": channels, "image_size": size, **config})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return cls(settings)


def start(model: Model, settings: TrainSettings) -> State:
    """The state before the first step."""
    rng = torch.Generator().manual_seed(settings.seed)
    return State(rng=rng, optimizers=model.optimizers(settings.lr, settings.weight_decay))


def learning_rate(settings: TrainSettings, share: float, lr: float | None = None) -> float:
    """The learning rate when ``share`` (0 to 1) of the training is done."""
    peak = settings.lr if lr is None else lr
    if settings.schedule == "cosine":
        return peak * max(0.5 * (1 + math.cos(math.pi * share)), 1e-4)
    if settings.schedule == "onecycle":  # Smith 2018, arXiv:1803.09820
        if share < 0.3:
            return peak * (0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * share / 0.3)))
        return peak * max(0.5 * (1 + math.cos(math.pi * (share - 0.3) / 0.7)), 1e-4)
    return peak


def train(
    model: Model,
    data: Dataset,
    settings: TrainSettings,
    state: State | None = None,
    control: Callable[[], Control] = Control,
    every: float = EVERY,
) -> Iterator[Event]:
    """Train ``model`` in place on ``data.train_x`` and yield events.

    ``state`` (of ``start`` or ``load_state``) is updated in place; at every "epoch" event it can
    be saved. ``control`` is asked every ``every`` seconds; a stop ends the generator between two
    steps with ``state.stopped`` set. The given ``classes`` and ``limit`` of the settings are
    applied here. Raises ValueError if they leave no images or the loss is no longer finite.
    """
    state = state or start(model, settings)
    data = data.only(settings.classes).first(settings.limit)
    if not len(data.train_x) or not len(data.test_x):
        raise ValueError("no images are left to train on; widen classes or limit")
    device = next(model.parameters()).device
    train_x, train_y = data.train_x.to(device), data.train_y.to(device)
    _lay_out(model).requires_grad_(True).train()
    threads = torch.get_num_threads()
    try:
        autocast = choose_arithmetic(model, train_x, train_y, settings)
        loop = _Loop(model, settings, state, control, every, autocast, len(train_x))
        while state.epoch < settings.epochs and not state.stopped:
            yield from loop.epoch(train_x, train_y, data)
    finally:
        torch.set_num_threads(threads)
        model.eval()


def _lay_out(model: Model) -> Model:
    """Channels last on a CPU: convolutions are 1.5 to 3 times faster."""
    if next(model.parameters()).device.type == "cpu":
        model.to(memory_format=torch.channels_last)
    return model


class _Loop:
    """One training: what stays the same from step to step."""

    def __init__(
        self,
        model: Model,
        settings: TrainSettings,
        state: State,
        control: Callable[[], Control],
        every: float,
        autocast: Autocast,
        n: int,
    ) -> None:
        self.model, self.settings, self.state = model, settings, state
        self.control, self.every, self.autocast = control, every, autocast
        self.steps = settings.epochs * math.ceil(n / settings.batch_size)
        self.n = n
        self.lr = settings.lr
        self.begun = time.monotonic() - state.seconds
        self.first = state.step

    def epoch(self, x: Tensor, y: Tensor, data: Dataset) -> Iterator[Event]:
        state = self.state
        whole, recent = _Means(), _Means()
        next_look = time.monotonic() + self.every
        for batch_x, batch_y in batches(x, y, self.settings.batch_size, state.rng):
            self._set_lr()
            terms = self.model.step(batch_x, batch_y, state.rng, state.optimizers, self.autocast)
            state.step += 1
            recent.add(terms, len(batch_x))
            if time.monotonic() < next_look:
                continue
            yield self._event("step", recent.read())
            whole.merge(recent)
            recent = _Means()
            self._obey()
            if state.stopped:
                return
            next_look = time.monotonic() + self.every
        whole.merge(recent)
        state.epoch += 1
        metrics = {**whole.read(), **self._test(data)}
        event = self._event("epoch", metrics, preview(self.model, data))
        state.history.append({"epoch": state.epoch, "step": state.step, **event.metrics})
        yield event
        self._obey()

    def _obey(self) -> None:
        wish = self.control()
        while wish.pause and not wish.stop:
            time.sleep(0.1)
            self.begun += 0.1  # a pause is no training time
            wish = self.control()
        self.state.stopped = wish.stop
        self.lr = self.settings.lr if wish.lr is None else wish.lr

    def _set_lr(self) -> None:
        now = learning_rate(self.settings, self.state.step / self.steps, self.lr)
        for optimizer in self.state.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = now

    def _event(
        self,
        kind: Literal["step", "epoch"],
        metrics: dict[str, float],
        picture: Tensor | None = None,
    ) -> Event:
        state = self.state
        state.seconds = time.monotonic() - self.begun
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise ValueError(
                    f"{name} became {value} at step {state.step}: try a smaller learning rate"
                )
        per_step = state.seconds / max(state.step, 1)
        metrics = {
            **metrics,
            "lr": learning_rate(self.settings, state.step / self.steps, self.lr),
            "images_per_s": self.settings.batch_size / max(per_step, 1e-9),
            "seconds": state.seconds,
            "seconds_left": per_step * (self.steps - state.step),
        }
        return Event(state.step, state.epoch, self.steps, kind, metrics, picture)

    @torch.no_grad()
    def _test(self, data: Dataset) -> dict[str, float]:
        """Loss terms on the test set, with the same noise every epoch."""
        self.model.eval()
        rng, means = torch.Generator().manual_seed(0), _Means("test")
        device = next(self.model.parameters()).device
        for x, y in batches(data.test_x, data.test_y, 1000, None):
            means.add(self.model.losses(x.to(device), y.to(device), rng), len(x))
        self.model.train()
        return means.read()


class _Means:
    """Running means of loss terms, summed as tensors so that no step waits for a number."""

    def __init__(self, prefix: str = "train") -> None:
        self.prefix = prefix
        self.sums: dict[str, Tensor] = {}
        self.count = 0

    def add(self, terms: dict[str, Tensor], n: int) -> None:
        for name, value in terms.items():
            weighted = value.detach().float() * n
            self.sums[name] = self.sums[name] + weighted if name in self.sums else weighted
        self.count += n

    def merge(self, other: _Means) -> None:
        for name, value in other.sums.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.count += other.count

    def read(self) -> dict[str, float]:
        return {f"{self.prefix}/{k}": float(v) / self.count for k, v in self.sums.items()}


@torch.no_grad()
def preview(model: Model, data: Dataset, n: int = 16) -> Tensor | None:
    """Pictures that improve while one watches, uint8 (N, C, H, W), or None.

    Reconstructing models: n fixed test images, then their n reconstructions; otherwise, sampling
    models: n samples with the same noise every time.
    """
    training = model.training
    model.eval()
    device = next(model.parameters()).device
    shown: Tensor | None = None
    if isinstance(model, Reconstructs):
        x = to_float(data.test_x[:n]).to(device)
        shown = torch.cat([x, model.reconstruct(x)])
    elif isinstance(model, Samples):
        shown = model.sample(n, torch.Generator().manual_seed(0))
    model.train(training)
    return None if shown is None else (shown * 255).round().to(torch.uint8).cpu()


def choose_arithmetic(model: Model, x: Tensor, y: Tensor, settings: TrainSettings) -> Autocast:
    """Set the threads and return the autocast context that the settings ask for.

    "auto" and 0 threads are decided by timing about a second of forward and backward passes; the
    model's weights and the training's random numbers are not touched.
    """
    device = x.device.type

    def context(kind: str) -> Autocast:
        if kind == "bfloat16":
            return lambda: torch.autocast(device, dtype=torch.bfloat16)
        return nullcontext

    kinds = ["float32", "bfloat16"] if settings.precision == "auto" else [settings.precision]
    counts = [settings.threads] if settings.threads else [1, 2]
    if device != "cpu":
        return context("bfloat16" if settings.precision != "float32" else "float32")
    counts = [c for c in counts if c <= (torch.get_num_threads() or 1) or settings.threads] or [1]
    choices = [(kind, count) for kind in kinds for count in counts]
    if len(choices) > 1:
        batch = to_float(x[: settings.batch_size]), y[: settings.batch_size]
        cost = {c: _probe(model, *batch, context(c[0]), c[1]) for c in choices}
        # A narrow win is noise: float32 on one thread is kept unless another is 5 % faster.
        choices = sorted(choices, key=lambda c: cost[c] * (0.95 if c == choices[0] else 1.0))
    torch.set_num_threads(choices[0][1])
    return context(choices[0][0])


def _probe(model: Model, x: Tensor, y: Tensor, autocast: Autocast, threads: int) -> float:
    """Seconds of one forward and backward pass: the median of what fits in 0.2 s."""
    torch.set_num_threads(threads)
    rng = torch.Generator().manual_seed(0)
    parameters = [p for p in model.parameters() if p.requires_grad]
    kept = {name: b.clone() for name, b in model.named_buffers()}
    times: list[float] = []
    with torch.random.fork_rng():
        while len(times) < 3 or sum(times) < 0.2:
            began = time.perf_counter()
            with autocast():
                loss = model.losses(x, y, rng)["loss"]
            torch.autograd.grad(loss, parameters, allow_unused=True)
            times.append(time.perf_counter() - began)
    for name, b in model.named_buffers():
        b.copy_(kept[name])  # batch norm's running means
    return sorted(times)[len(times) // 2]


def save_state(path: Path, model: Model, state: State) -> None:
    """Write weights, optimizer state and random numbers to one file, atomically."""
    tensors = {f"model/{name}": t for name, t in model.state_dict().items()}
    for name, optimizer in state.optimizers.items():
        for index, entries in optimizer.state_dict()["state"].items():
            for key, value in entries.items():
                tensors[f"optimizer/{name}/{index}/{key}"] = torch.as_tensor(value)
    tensors["rng"] = state.rng.get_state()
    tensors["global_rng"] = torch.get_rng_state()  # dropout layers draw from the global one
    meta = {
        "kind": "state",
        "epoch": state.epoch,
        "step": state.step,
        "seconds": state.seconds,
        "history": state.history,
    }
    write_tensors(path, tensors, meta)


def load_state(path: Path, model: Model, settings: TrainSettings) -> State:
    """Read what ``save_state`` wrote into ``model`` and a new state.

    Raises CheckpointError if the file is damaged.
    """
    from safetensors.torch import load_file

    meta = json.loads(cast(dict[str, str], header(path)["__metadata__"])["genlib"])
    tensors = load_file(path)
    model.load_state_dict(
        {k.removeprefix("model/"): t for k, t in tensors.items() if k.startswith("model/")}
    )
    state = start(_lay_out(model), settings)
    for name, optimizer in state.optimizers.items():
        saved: dict[int, dict[str, Tensor]] = {}
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for key, value in tensors.items():
            if key.startswith(f"optimizer/{name}/"):
                _, _, index, entry = key.split("/")
                saved.setdefault(int(index), {})[entry] = _laid_out_as(
                    parameters[int(index)], value
                )
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": saved, "param_groups": groups})
    state.rng.set_state(tensors["rng"])
    torch.set_rng_state(tensors["global_rng"])
    state.epoch, state.step = int(meta["epoch"]), int(meta["step"])
    state.seconds, state.history = float(meta["seconds"]), list(meta["history"])
    return state


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """``value`` with its parameter's strides: the fused Adam pairs numbers by their place."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
