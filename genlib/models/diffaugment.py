"""Differentiable augmentation: random changes of images that let gradients through.

Source: Zhao et al. 2020, arXiv:2006.10738. D sees real and generated images through the same kind
of change, so that it can't memorise a small dataset; since G's gradient passes through the change,
G still learns the images as they are. One amount per image, drawn from ``rng``:

    colour       brightness by up to 0.5, saturation times 0 to 2, contrast times 0.5 to 1.5
    translation  by up to an eighth of the side each way; what comes in is black
    cutout       a square of half the side is black; it may reach over the edge
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def diff_augment(x: Tensor, policy: str, rng: torch.Generator) -> Tensor:
    """Change each image at random: (B, C, H, W) in [0, 1] -> same shape.

    ``policy`` is one of POLICIES. Colour may leave [0, 1].
    """
    for change in POLICIES[policy]:
        x = change(x, rng)
    return x


def colour(x: Tensor, rng: torch.Generator) -> Tensor:
    """Change brightness, saturation and contrast of each image: (B, C, H, W) -> same."""
    brightness, saturation, contrast = _uniform(3, x, rng)
    x = x + (brightness - 0.5)
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * (saturation * 2) + grey
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * (contrast + 0.5) + mean


def translation(x: Tensor, rng: torch.Generator) -> Tensor:
    """Move each image by whole pixels: (B, C, H, W) -> same."""
    n, channels, height, width = x.shape
    reach = max(1, height // 8)
    moves = torch.randint(0, 2 * reach + 1, (2, n), generator=rng, device=rng.device).to(x.device)
    rows = moves[0][:, None] + torch.arange(height, device=x.device)
    columns = moves[1][:, None] + torch.arange(width, device=x.device)
    image = torch.arange(n, device=x.device)[:, None, None, None]
    channel = torch.arange(channels, device=x.device)[None, :, None, None]
    wide = F.pad(x, (reach,) * 4)
    return wide[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def cutout(x: Tensor, rng: torch.Generator) -> Tensor:
    """Black out a square of each image: (B, C, H, W) -> same."""
    n, _, height, width = x.shape
    centre = torch.rand(2, n, 1, generator=rng, device=rng.device).to(x.device)
    rows = (torch.arange(height, device=x.device) - centre[0] * height).abs() < height / 4
    columns = (torch.arange(width, device=x.device) - centre[1] * width).abs() < width / 4
    hidden = rows[:, None, :, None] & columns[:, None, None, :]
    return x.masked_fill(hidden, 0.0)


def _uniform(count: int, x: Tensor, rng: torch.Generator) -> Tensor:
    """Numbers in [0, 1), one per image: (count, B, 1, 1, 1)."""
    return torch.rand(count, len(x), 1, 1, 1, generator=rng, device=rng.device).to(x)


POLICIES: dict[str, tuple[Callable[[Tensor, torch.Generator], Tensor], ...]] = {
    "none": (),
    "translation": (translation,),
    "translation_cutout": (translation, cutout),
    "colour_translation": (colour, translation),
    "colour_translation_cutout": (colour, translation, cutout),
}
