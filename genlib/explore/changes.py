"""What one can do to a digit before a model sees it: merge, turn, shift, invert, noise, shuffle.

Each takes images (B, C, H, W) in [0, 1], an amount in the unit its entry in CHANGES states, and
another image (C, H, W) that only the merge needs; each gives images in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

SEED = 0  # noise and shuffles are the same at every call, so that a slider shows its own effect


def merge(x: Tensor, amount: float, other: Tensor) -> Tensor:
    """(1 - amount) x + amount other."""
    return (1 - amount) * x + amount * other


def turn(x: Tensor, amount: float, other: Tensor) -> Tensor:
    """Turn clockwise about the centre by ``amount`` degrees, bilinear, black outside."""
    angle = math.radians(amount)
    c, s = math.cos(angle), math.sin(angle)
    theta = torch.tensor([[c, s, 0.0], [-s, c, 0.0]]).to(x).expand(len(x), 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False).clamp(0, 1)


def shift(x: Tensor, amount: float, other: Tensor) -> Tensor:
    """Move right by a whole number of pixels (left if negative), black behind."""
    by = round(amount)
    moved = torch.zeros_like(x)
    width = x.shape[3]
    if abs(by) < width:
        moved[..., max(by, 0) : width + min(by, 0)] = x[..., max(-by, 0) : width - max(by, 0)]
    return moved


def invert(x: Tensor, amount: float, other: Tensor) -> Tensor:
    """(1 - amount) x + amount (1 - x): at 1 black on white."""
    return (1 - amount) * x + amount * (1 - x)


def noise(x: Tensor, amount: float, other: Tensor) -> Tensor:
    """Add Gaussian noise of standard deviation ``amount``, cut to [0, 1]."""
    rng = torch.Generator().manual_seed(SEED)
    return (x + amount * torch.randn(x.shape[1:], generator=rng).to(x)).clamp(0, 1)


def shuffle(x: Tensor, amount: float, other: Tensor) -> Tensor:
    """Let a share of the pixels change places: the same ink in other places."""
    rng = torch.Generator().manual_seed(SEED)
    flat = x.flatten(1).clone()
    places = torch.randperm(flat.shape[1], generator=rng)[: round(amount * flat.shape[1])]
    to = places[torch.randperm(len(places), generator=rng)]
    flat[:, to.to(x.device)] = x.flatten(1)[:, places.to(x.device)]
    return flat.view_as(x)


@dataclass(frozen=True)
class Change:
    """One change: its function, and its amount's range, start, step and unit."""

    apply: Callable[[Tensor, float, Tensor], Tensor]
    low: float
    high: float
    start: float
    step: float
    amount: str


CHANGES: dict[str, Change] = {
    "merge": Change(merge, 0, 1, 0.5, 0.01, "share of the other digit"),
    "turn": Change(turn, -180, 180, 90, 1, "degrees clockwise"),
    "shift": Change(shift, -12, 12, 6, 1, "pixels to the right"),
    "invert": Change(invert, 0, 1, 1, 0.01, "0 as it is, 1 black on white"),
    "noise": Change(noise, 0, 1, 0.3, 0.01, "standard deviation; black to white is 1"),
    "shuffle": Change(shuffle, 0, 1, 0.2, 0.01, "share of pixels that change places"),
}
