"""Small random changes before every step, so that a picture cannot rely on single pixels.

Source: jitter as in the overview text (roll, step, roll back); scale and rotate as in Olah,
Mordvintsev & Schubert 2017, "Feature visualization". A transform is one function
``(x, amount, rng) -> x`` that autograd can follow: because its gradient is the transform undone,
the picture itself never moves, and the lecture's "undo the jitter" comes by itself.

One draw serves the whole batch, as in the lecture. All take x (B, C, H, W).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Transform = Callable[[Tensor, float, torch.Generator], Tensor]


def roll(x: Tensor, down: int, right: int) -> Tensor:
    """Shift an image, what leaves on one side enters on the other; exact, undone by (-, -)."""
    return torch.roll(x, (down, right), (-2, -1))


def jitter(x: Tensor, amount: float, rng: torch.Generator) -> Tensor:
    """Roll by up to ``amount`` pixels, each direction drawn uniformly from whole numbers."""
    most = int(amount)
    down, right = torch.randint(-most, most + 1, (2,), generator=rng).tolist()
    return roll(x, down, right) if down or right else x


def scale(x: Tensor, amount: float, rng: torch.Generator) -> Tensor:
    """Zoom about the centre by a factor drawn uniformly from 1 - amount to 1 + amount."""
    factor = 1 + amount * _uniform(rng)
    return _affine(x, [[1 / factor, 0.0, 0.0], [0.0, 1 / factor, 0.0]])


def rotate(x: Tensor, amount: float, rng: torch.Generator) -> Tensor:
    """Turn about the centre by an angle drawn uniformly from -amount to amount degrees."""
    angle = math.radians(amount) * _uniform(rng)
    c, s = math.cos(angle), math.sin(angle)
    ratio = x.shape[-1] / x.shape[-2]  # grid_sample's axes both run from -1 to 1
    return _affine(x, [[c, -s / ratio, 0.0], [s * ratio, c, 0.0]])


# In the order they are applied; each name is the knob that holds the amount.
TRANSFORMS: dict[str, Transform] = {"jitter": jitter, "scale": scale, "rotate": rotate}


def transform(x: Tensor, amounts: dict[str, float], rng: torch.Generator) -> Tensor:
    """Apply every transform whose amount is not 0: (B, C, H, W) -> (B, C, H, W)."""
    for name, function in TRANSFORMS.items():
        if amounts.get(name):
            x = function(x, amounts[name], rng)
    return x


def blur(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur with standard deviation ``sigma`` in pixels, edges repeated; 0 does nothing."""
    if sigma <= 0:
        return x
    radius = min(max(1, round(3 * sigma)), x.shape[-1] - 1, x.shape[-2] - 1)
    ticks = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    weights = torch.exp(-0.5 * (ticks / sigma).square())
    weights = (weights / weights.sum()).expand(x.shape[1], 1, -1)
    padded = F.pad(x, (radius, radius, radius, radius), mode="replicate")
    rows = F.conv2d(padded, weights[:, :, None, :], groups=x.shape[1])
    return F.conv2d(rows, weights[:, :, :, None], groups=x.shape[1])


def _uniform(rng: torch.Generator) -> float:
    """A number from -1 to 1."""
    return 2 * float(torch.rand((), generator=rng)) - 1


def _affine(x: Tensor, matrix: list[list[float]]) -> Tensor:
    theta = torch.tensor(matrix, device=x.device, dtype=x.dtype).expand(len(x), 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
