"""A generator and a discriminator trained by hand: D once, G once, both, slowly, or on and on.

A ``Duel`` owns a private copy of a model and its optimizers. Its thread trains while somebody is
there to see it; a ``Places`` bounds how many train at once over all sessions. What is shown is
measured after every single step on the same real images and the same z, dropout off, so that a
change is the step's doing and no other noise. Both means one step each, whatever the model's
``d_steps``, so that the counts on screen stay comparable.

    page ── train D, train G, pause, learning rate ──> Duel ──> thread: step, step ──> trace, grid
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from genlib import environment
from genlib.background import Places
from genlib.explore.attended import PLACES, Attended
from genlib.models.base import Model
from genlib.models.capabilities import StepsApart

MEASURE_SHARE = 0.25  # of the time at most goes into measuring at full speed
WATCHED = 64  # real images, and samples, that are measured
GRID = 36  # samples on screen, the first of them
KEPT = 600  # points of the trace; older ones are thinned out
WHO = ("both", "d", "g")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DuelPoint:
    """The duel after some steps: mean D(x), mean D(G(z)) in [0, 1], losses in nats."""

    d_steps: int
    g_steps: int
    d_x: float
    d_gz: float
    d_loss: float
    g_loss: float

    @property
    def steps(self) -> int:
        """Steps of either so far."""
        return self.d_steps + self.g_steps


class Duel(Attended):
    """One session's duel; every call returns within a step's time."""

    gone_s = 6.0

    def __init__(
        self,
        model: Model,
        images: Tensor,
        *,
        lr: float = 2e-4,
        batch: int = 64,
        seed: int = 0,
        places: Places = PLACES,
        owner: str = "",
    ) -> None:
        """Copy ``model``; images: uint8 (N, C, H, W) to train on.

        Raises TypeError for a model whose halves cannot be trained apart, ValueError for a batch
        that is not between 2 and N.
        """
        if not isinstance(model, StepsApart):
            raise TypeError(f"{model.title} cannot train its two halves apart")
        if not 2 <= batch <= len(images):
            raise ValueError(f"batch must be between 2 and {len(images)}, got {batch}")
        super().__init__(places, owner)
        self._origin, self._images = model, images
        self._first_lr, self._batch, self._seed = lr, batch, seed
        self.who = "both"  # whom the running duel trains
        self.pause_s = 0.0  # seconds between two steps
        self._begin()

    def reset(self) -> None:
        """Pause, forget what was trained here, begin again from the model as it was given."""
        self.pause()
        with self.lock:
            self._begin()

    def _begin(self) -> None:
        model = self._origin.without_average().cpu().requires_grad_(True)
        assert isinstance(model, StepsApart)
        if environment.channels_last("cpu"):
            model.to(memory_format=torch.channels_last)  # convolutions are quicker
        self.model = model
        self.optimizers = model.optimizers(self._first_lr, 0.0)
        self._rng = torch.Generator().manual_seed(self._seed)
        chosen = torch.randperm(len(self._images), generator=self._rng)[:WATCHED]
        self._real = self._images[chosen].float().cpu() / 255
        self.d_steps = self.g_steps = 0
        self.trace: list[DuelPoint] = []
        self.rate = 0.0  # steps per second
        self.error = ""
        self._measured_s = self._measured_at = 0.0
        self.measure()

    @property
    def lr(self) -> float:
        """The learning rate of both optimizers; assign to change it between two steps."""
        return float(self.optimizers["generator"].param_groups[0]["lr"])

    @lr.setter
    def lr(self, value: float) -> None:
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"lr must be a positive number, got {value}")
        for name, fresh in self.model.optimizers(value, 0.0).items():
            for group, new in zip(
                self.optimizers[name].param_groups, fresh.param_groups, strict=True
            ):
                group["lr"] = new["lr"]  # a family may give its groups different rates

    @property
    def batch(self) -> int:
        """Images in one step."""
        return self._batch

    @property
    def watched(self) -> int:
        """Real images that are measured: WATCHED, or all where there are fewer."""
        return len(self._real)

    def start(self, who: str = "both", pause_s: float = 0.0) -> None:
        """Train until paused. ``who`` is one of WHO; ``pause_s`` seconds between two steps."""
        if who not in WHO:
            raise ValueError(f"who must be one of {', '.join(WHO)}, got {who!r}")
        self.who, self.pause_s = who, pause_s
        self.running, self.error = True, ""
        self.beat()

    def pause(self) -> None:
        """Stop after the step under way; grid and trace are then those of the last step."""
        self.running = False
        self._places.withdraw(self)
        with self.lock:
            if (self.d_steps, self.g_steps) != (self.trace[-1].d_steps, self.trace[-1].g_steps):
                self._guarded(self.measure)

    def step_once(self, who: str) -> None:
        """Pause and train once: "d", "g", or "both" (D, then G, one step each)."""
        self.pause()
        with self.lock:
            self._guarded(lambda: self._train(who))

    @torch.no_grad()
    def draw(self, n: int, seed: int) -> Tensor:
        """Pause and draw n images in [0, 1] with the model as it is now: (n, C, H, W)."""
        self.pause()
        rng = torch.Generator().manual_seed(seed)
        with self.lock:
            parts = [self.model.sample(min(500, n - i), rng) for i in range(0, n, 500)]
        return torch.cat(parts).float()

    def _run(self) -> None:
        super()._run()
        if self._resting:
            self._rest(self.pause_s)

    def go_on(self) -> None:
        begun = time.monotonic()
        self._guarded(lambda: self._train(self.who, every=self.pause_s > 0))
        spent = time.monotonic() - begun
        self.rate = self._places.share(self) / max(spent + self.pause_s, 1e-6)
        self._resting = self.pause_s > 0

    def _rest(self, seconds: float) -> None:
        """Wait for the next step, no longer than anybody wants it; others have the place."""
        until = time.monotonic() + seconds
        while self.wanted() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
        self._resting = False
        if self.wanted():
            self._places.enter(self)

    def _train(self, who: str, every: bool = True) -> None:
        """Train once, and measure: each time, or as often as costs little."""
        self._step(who)
        now = time.perf_counter()
        if every or (now - self._measured_at) * MEASURE_SHARE > self._measured_s:
            self.measure()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do it; what goes wrong is said, not thrown."""
        try:
            work()
        except ValueError as problem:
            self.running, self.error = False, str(problem)
        except Exception:
            log.exception("a duel stopped")
            self.running = False
            self.error = "Training stopped because of an error. Press Reset to start again."

    def _step(self, who: str) -> None:
        model, plain = self.model, contextlib.nullcontext
        model.train()
        try:
            if who in ("both", "d"):
                rows = torch.randint(len(self._images), (self._batch,), generator=self._rng)
                x = self._images[rows].float().cpu() / 255
                with torch.no_grad():
                    fake_x = model.sample(self._batch, self._rng)
                model.step_d(x, fake_x, self._rng, self.optimizers, plain)
                self.d_steps += 1
            if who in ("both", "g"):
                fake_x = model.sample(self._batch, self._rng)
                model.step_g(fake_x, self._rng, self.optimizers, plain)
                self.g_steps += 1
        finally:
            model.eval()

    @torch.no_grad()
    def measure(self) -> None:
        """Look at the model as it is now: the next point of the trace, and the grid."""
        begun = time.perf_counter()
        model = self.model.eval()
        fake_x = model.sample(WATCHED, torch.Generator().manual_seed(self._seed))
        real, fake = model.verdict(self._real), model.verdict(fake_x)
        point = DuelPoint(
            self.d_steps,
            self.g_steps,
            float(real.sigmoid().mean()),
            float(fake.sigmoid().mean()),
            float(F.softplus(-real).mean() + F.softplus(fake).mean()),
            float(F.softplus(-fake).mean()),
        )
        if not math.isfinite(point.d_loss + point.g_loss):
            raise ValueError(
                "A loss became infinite or NaN. Press Reset and lower the learning rate."
            )
        self.grid: NDArray[np.uint8] = (fake_x[:GRID] * 255).round().byte().numpy()
        self.trace = thinned([*self.trace, point])
        self._measured_at = time.perf_counter()
        self._measured_s = self._measured_at - begun


def thinned(trace: list[DuelPoint]) -> list[DuelPoint]:
    """Drop every second point of the older half once there are too many."""
    if len(trace) <= KEPT:
        return trace
    half = len(trace) // 2
    return trace[:half:2] + trace[half:]
