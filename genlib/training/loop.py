"""Training is a generator of events: observers draw, the loop computes.

What makes an epoch short on a CPU: the whole dataset is one uint8 tensor, an epoch is a shuffled
``index_select``; Adam is fused; the losses are summed as tensors and read a few times a second,
never once a step; the number format and the number of threads are measured, not guessed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from genlib.data.augment import AUGMENTS
from genlib.data.datasets import Dataset, batches, to_float
from genlib.models.base import Model
from genlib.models.capabilities import Reconstructs, Samples
from genlib.settings import Control, Event, TrainSettings
from genlib.training.arithmetic import Autocast, choose_arithmetic, in_use
from genlib.training.build import build, check, chosen, configure, learning_rate, plan
from genlib.training.state import State, lay_out, load_state, save_state, start

__all__ = [
    "State",
    "build",
    "check",
    "configure",
    "learning_rate",
    "load_state",
    "save_state",
    "start",
    "train",
]

EVERY = 0.25  # seconds between two step events


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
    applied here. Raises ValueError if they leave too few images or the loss is no longer finite.
    """
    state = state or start(model, settings)
    data = chosen(data, settings)
    device = model.device
    train_x, train_y = data.train_x.to(device), data.train_y.to(device)
    lay_out(model).requires_grad_(True).train()
    threads = torch.get_num_threads()
    try:
        autocast = choose_arithmetic(model, train_x, train_y, settings)
        state.used = in_use(autocast, device)
        loop = _Loop(model, data, settings, state, control, every, autocast)
        loop.obey()  # a rate set before a resume holds from the first step on
        while state.epoch < settings.epochs and not state.stopped:
            yield from loop.epoch(train_x, train_y, data)
    finally:
        torch.set_num_threads(threads)
        model.eval()


class _Loop:
    """One training: what stays the same from step to step."""

    def __init__(
        self,
        model: Model,
        data: Dataset,
        settings: TrainSettings,
        state: State,
        control: Callable[[], Control],
        every: float,
        autocast: Autocast,
    ) -> None:
        self.model, self.settings, self.state = model, settings, state
        self.control, self.every, self.autocast = control, every, autocast
        self.steps = plan(model, data, settings)
        self.images = settings.epochs * len(data.train_x)
        self.lr = settings.lr
        self.begun = time.monotonic() - state.seconds
        self.first = state.step

    def epoch(self, x: Tensor, y: Tensor, data: Dataset) -> Iterator[Event]:
        state = self.state
        whole, recent = _Means(), _Means()
        next_look = time.monotonic() + self.every
        augment = AUGMENTS[self.settings.augment]
        for batch_x, batch_y in batches(x, y, self.settings.batch_size, state.rng):
            self._set_lr()
            seen = augment(batch_x, state.rng)
            terms = self.model.step(seen, batch_y, state.rng, state.optimizers, self.autocast)
            state.step += 1
            recent.add(terms, len(batch_x))
            if time.monotonic() < next_look:
                continue
            yield self._event("step", recent.read())
            whole.merge(recent)
            recent = _Means()
            self.obey()
            if state.stopped:
                return
            next_look = time.monotonic() + self.every
        whole.merge(recent)
        state.epoch += 1
        metrics = {**whole.read(), **self._test(data)}
        event = self._event("epoch", metrics)
        row = {name: value for name, value in event.metrics.items() if name != "steps"}
        state.history.append({"epoch": state.epoch, "step": state.step, **row})
        yield event
        self.obey()

    def obey(self) -> None:
        """Do what the control asks: wait, stop, take another learning rate."""
        wish = self.control()
        while wish.pause and not wish.stop:
            time.sleep(0.1)
            self.begun += 0.1  # a pause doesn't count as training time
            wish = self.control()
        self.state.stopped = wish.stop
        self.lr = self.settings.lr if wish.lr is None else wish.lr

    def _set_lr(self) -> None:
        share, wished = self.state.step / self.steps, self.lr / self.settings.lr
        for optimizer in self.state.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self.settings, share, group["initial_lr"] * wished)

    def _event(self, kind: str, metrics: dict[str, float]) -> Event:
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
            "base_lr": self.lr,
            "images_per_s": self.images / self.steps / max(per_step, 1e-9),
            "seconds": state.seconds,
            "seconds_left": per_step * (self.steps - state.step),
            "steps": self.steps,
        }
        return Event(kind, state.step, state.epoch, time.time(), metrics)

    @torch.no_grad()
    def _test(self, data: Dataset) -> dict[str, float]:
        """Loss terms on the test set, with the same noise every epoch."""
        self.model.eval()
        rng, means = torch.Generator().manual_seed(0), _Means("test")
        device = self.model.device
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
    device = model.device
    shown: Tensor | None = None
    if isinstance(model, Reconstructs):
        x = to_float(data.test_x[:n]).to(device)
        shown = torch.cat([x, model.reconstruct(x)])
    elif isinstance(model, Samples):
        shown = model.sample(n, torch.Generator().manual_seed(0))
    model.train(training)
    return None if shown is None else (shown * 255).round().to(torch.uint8).cpu()
