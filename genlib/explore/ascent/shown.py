"""What an ascent displays: the newest pictures as pixels, and the last numbers measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from genlib.explore.ascent.climb import AscentFrame


@dataclass(frozen=True)
class Shown:
    """What the page draws. images: (B, H, W, C) uint8."""

    images: NDArray[np.uint8]
    classes: tuple[int, ...]
    step: int
    value: tuple[float, ...]
    probability: tuple[float, ...]
    grad_norm: tuple[float, ...]
    steps_per_s: float = 0.0


def pixels(image: Tensor) -> NDArray[np.uint8]:
    """(B, C, H, W) in [0, 1] -> (B, H, W, C) uint8."""
    return (image.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()


def shown(frame: AscentFrame, classes: Sequence[int], rate: float) -> Shown:
    """A frame that was just measured, with its classes and the steps a second."""
    return Shown(
        pixels(frame.image),
        tuple(classes),
        frame.step,
        tuple(frame.value.tolist()),
        tuple(frame.probability.tolist()),
        tuple(frame.grad_norm.tolist()),
        rate,
    )
