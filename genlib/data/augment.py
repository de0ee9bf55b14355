"""Augmentation: other views of the training images that keep their meaning, drawn again each epoch.

Whole batches at once, all choices from the training's own random numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

SHIFT = 16  # images move by at most a sixteenth of their side: 2 pixels of 32


def none(x: Tensor, rng: torch.Generator) -> Tensor:
    """The images as they are."""
    return x


def flip(x: Tensor, rng: torch.Generator) -> Tensor:
    """Mirror every image left to right with probability 1/2: (B, C, H, W) -> (B, C, H, W)."""
    mirrored = torch.rand(len(x), generator=rng, device=rng.device) < 0.5
    return torch.where(mirrored.to(x.device)[:, None, None, None], x.flip(3), x)


def flip_shift(x: Tensor, rng: torch.Generator) -> Tensor:
    """Mirror, then move by up to a sixteenth of the side each way; what comes in is a reflection.

    (B, C, H, W) -> (B, C, H, W).
    """
    n, channels, height, width = x.shape
    reach = max(1, height // SHIFT)
    wide = F.pad(flip(x, rng), (reach,) * 4, mode="reflect")
    moves = torch.randint(0, 2 * reach + 1, (2, n), generator=rng, device=rng.device).to(x.device)
    rows = moves[0][:, None] + torch.arange(height, device=x.device)
    columns = moves[1][:, None] + torch.arange(width, device=x.device)
    image = torch.arange(n, device=x.device)[:, None, None, None]
    channel = torch.arange(channels, device=x.device)[None, :, None, None]
    return wide[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


AUGMENTS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "none": none,
    "flip": flip,
    "flip_shift": flip_shift,
}
