"""What a measurement is: one number with its standard error, and the test images it is of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

BATCH = 500


@dataclass(frozen=True)
class Metric:
    """One number: its standard error, its unit, how many images, and of which data."""

    value: float
    stderr: float
    unit: str
    n: int
    data: str


@dataclass(frozen=True)
class Sample:
    """The test images a model is judged on, in random order; every metric reseeds.

    classes: those of all test images, some of which may have no image here.
    """

    x: Tensor  # (N, C, H, W) float32 in [0, 1]
    y: Tensor  # (N,)
    name: str
    seed: int
    classes: Tensor  # (K,)

    def rng(self) -> torch.Generator:
        """A fresh generator, so that one metric's draws do not depend on another's."""
        return torch.Generator().manual_seed(self.seed)

    def binarized(self) -> Tensor:
        """Each pixel drawn once as Bernoulli(grey value): (N, C, H, W) of 0 and 1."""
        return (torch.rand(self.x.shape, generator=self.rng()).to(self.x) < self.x).to(self.x)

    @property
    def binarization(self) -> str:
        """What must be said of a number on ``binarized`` pixels."""
        return f", dynamically binarized (seed {self.seed})"

    def mean(self, values: Tensor, unit: str, note: str = "") -> Metric:
        """Mean over images and its standard error: (n,) -> Metric."""
        n = len(values)
        v = values.cpu().double()  # in this order: MPS has no float64
        return Metric(float(v.mean()), float(v.std() / math.sqrt(n)), unit, n, self.name + note)


def share_error(p: float, n: int) -> float:
    """Standard error of a share p of n images: half of Wilson's interval at one standard error.

    Of many images that is sqrt(p (1 - p) / n), and of few not 0 where p is 0 or 1.
    """
    return math.sqrt(p * (1 - p) / n + 1 / (4 * n**2)) / (1 + 1 / n)


Found = dict[str, Metric]
