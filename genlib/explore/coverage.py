"""What a generator's samples cover: the classes, the variety within them, and copies of the data.

Collapse (Goodfellow et al. 2014, section 6; Salimans et al. 2016, arXiv:1606.03498): G finds few
images that fool D and draws only these. Classes are those of a classifier, so a wrong one counts
where it is wrong. A class is covered from a tenth of its fair share on, and only by samples that
look like it: a classifier must name a class for noise as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FAIR = 0.1  # of its fair share, from which on a class counts as covered
NARROW = 0.6  # of the data's variety, below which samples are alike
FEW = 0.7  # of the classes: fewer in effect means that some are drawn far too often
ROWS = 4096  # training images compared at a time


@dataclass(frozen=True)
class Coverage:
    """Samples of each class by a classifier's judgement, and their variety.

    counts: one number a class; variety: see ``variety``; expected: classes of the data, where
    these are not all that the classifier knows; unlike: samples judged to be of each class that
    look more like noise than like real images; chance: the share that noise gets of each class.
    """

    counts: tuple[int, ...]
    variety: float
    expected: tuple[int, ...] = ()
    unlike: tuple[int, ...] = ()
    chance: tuple[float, ...] = ()

    @property
    def wanted(self) -> tuple[int, ...]:
        """The classes that should be drawn."""
        return self.expected or tuple(range(len(self.counts)))

    @property
    def n(self) -> int:
        """How many samples were judged."""
        return sum(self.counts) + sum(self.unlike)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class among all samples, summing to 1 where none looks like noise."""
        return np.array(self.counts) / max(self.n, 1)

    @property
    def _least(self) -> float:
        """The share from which on a class counts."""
        return FAIR / len(self.wanted)

    @property
    def stderrs(self) -> NDArray[np.float64]:
        """Standard error of each share: sqrt(p (1 - p) / n)."""
        return np.sqrt(self.shares * (1 - self.shares) / max(self.n, 1))

    @property
    def missing(self) -> tuple[int, ...]:
        """Classes with less than a tenth of their fair share, or no more than noise gets."""
        seen, chance = self.shares, self.chance or (-1.0,) * len(self.counts)
        return tuple(c for c in self.wanted if seen[c] < self._least or seen[c] <= chance[c])

    @property
    def effective(self) -> float:
        """exp(entropy of the classes' shares): 10 for ten equal ones, 1 for a single one, 0 for
        none."""
        if not any(self.counts):
            return 0.0
        p = np.array([count for count in self.counts if count]) / sum(self.counts)
        return float(np.exp(-(p * np.log(p)).sum()))

    def signs(self, names: tuple[str, ...]) -> list[str]:
        """Signs of collapse, one sentence each; empty if there is none."""
        found = []
        rare = [c for c in self.missing if self.shares[c] < self._least]
        if rare:
            found.append(f"hardly any sample shows {', '.join(names[c] for c in rare)}")
        if others := [names[c] for c in self.missing if c not in rare]:
            found.append(f"samples show {', '.join(others)} no more often than noise does")
        if self.effective < FEW * len(self.wanted):
            found.append(
                f"the classes are so unevenly drawn that they count as {self.effective:.1f} "
                f"instead of {len(self.wanted)}"
            )
        if self.variety < NARROW:
            found.append(f"samples differ from each other {self.variety:.0%} as much as real ones")
        return found


def variety(x: Tensor, data: Tensor) -> float:
    """Mean squared distance between two samples over that between two real images.

    (N, C, H, W), (M, C, H, W) in [0, 1]; 0 if all samples are the same. The mean squared distance
    of two independent draws is twice the sum of the pixels' variances. Raises ValueError for fewer
    than two of either.
    """
    if len(x) < 2 or len(data) < 2:
        raise ValueError(f"variety needs two images of each, got {len(x)} and {len(data)}")
    spread = [part.flatten(1).cpu().double().var(0).sum() for part in (x, data)]
    return float(spread[0] / spread[1].clamp_min(1e-12))


def half_tones(x: Tensor) -> float:
    """Share of the ink that is grey: pixels in (0.1, 0.9) among those above 0.1, (N, C, H, W).

    Strokes have grey edges; a blurred stroke is grey throughout. 0 without ink.
    """
    ink = x > 0.1
    return float(((x < 0.9) & ink).sum() / ink.sum().clamp_min(1))


@dataclass(frozen=True)
class Nearest:
    """The k nearest images of each query: index and distance (Euclidean over pixels), (M, k)."""

    index: NDArray[np.int64]
    distance: NDArray[np.float32]


@torch.no_grad()
def nearest_images(x: Tensor, data: Tensor, k: int) -> Nearest:
    """Find the k images of ``data`` nearest to each of x, exactly, nearest first.

    x: float (M, C, H, W) in [0, 1]; data: uint8 (N, C, H, W). Distance: root of the squared error
    summed over pixels in [0, 1]. Raises ValueError for k below 1 or above N.
    """
    if not 1 <= k <= len(data):
        raise ValueError(f"k must be between 1 and {len(data)}, got {k}")
    queries = x.flatten(1).float().cpu()
    best = torch.full((len(x), 0), 0.0)
    where = torch.full((len(x), 0), 0, dtype=torch.long)
    for begin in range(0, len(data), ROWS):
        part = data[begin : begin + ROWS].flatten(1).float().cpu() / 255
        # |a - b|^2 in one matrix product; differences are taken again below, for the few chosen.
        square = part.square().sum(1) - 2 * queries @ part.T
        best = torch.cat([best, square], 1)
        index = torch.arange(begin, begin + len(part)).expand(len(x), -1)
        where = torch.cat([where, index], 1)
        best, chosen = best.topk(min(k, best.shape[1]), largest=False)
        where = where.gather(1, chosen)
    found = data[where.flatten()].flatten(1).float().cpu().view(*where.shape, -1) / 255
    distance = (found - queries[:, None]).norm(dim=2)
    distance, order = distance.sort(dim=1, stable=True)
    return Nearest(where.gather(1, order).numpy(), distance.numpy())
