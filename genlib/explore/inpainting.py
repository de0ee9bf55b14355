"""Repair of damaged images by image processing, to compare with a denoising autoencoder.

Sources: Telea 2004, "An image inpainting technique based on the fast marching method"; Bertalmio,
Bertozzi & Sapiro 2001, "Navier-Stokes, fluid dynamics, and image and video inpainting", both as
OpenCV has them; lecture text "Autoencoders to GANs", figure 7.

The comparison is not even, and the page says so: inpainting is *told* which pixels are damaged
and has seen no digit in its life; the autoencoder has seen 60,000 digits and must guess what is
damaged. The median filter knows neither. ``keep_known`` tells an autoencoder the mask too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from genlib.explore.kernels import device_of
from genlib.models.capabilities import Reconstructs

Repair = Callable[[Tensor, Tensor], Tensor]  # corrupted (B, C, H, W), damaged (B, C, H, W) -> fixed
Corrupt = Callable[[Tensor, float, torch.Generator], tuple[Tensor, Tensor]]

RADIUS = 3.0  # pixels around a hole that OpenCV reads; its documentation's usual value


def telea(x_bad: Tensor, damaged: Tensor) -> Tensor:
    """Fill damaged pixels from the rim inwards with weighted means (fast marching).

    (B, C, H, W) in [0, 1], bool (B, C, H, W) -> (B, C, H, W). Known pixels stay bit for bit.
    """
    return _inpaint(x_bad, damaged, cv2.INPAINT_TELEA)


def navier_stokes(x_bad: Tensor, damaged: Tensor) -> Tensor:
    """Carry edges into the hole along lines of equal brightness, as a fluid would flow.

    (B, C, H, W) in [0, 1], bool (B, C, H, W) -> (B, C, H, W). Known pixels stay bit for bit.
    """
    return _inpaint(x_bad, damaged, cv2.INPAINT_NS)


def median(x_bad: Tensor, damaged: Tensor) -> Tensor:
    """Replace every pixel by the median of its 3 x 3 neighbourhood; ``damaged`` is not looked at.

    (B, C, H, W) in [0, 1] -> (B, C, H, W). The rim repeats the outermost pixels.
    """
    padded = torch.nn.functional.pad(x_bad, (1, 1, 1, 1), mode="replicate")
    windows = padded.unfold(2, 3, 1).unfold(3, 3, 1)
    return windows.flatten(4).median(-1).values


INPAINTING: dict[str, Repair] = {"Telea": telea, "Navier–Stokes": navier_stokes}
FILTERS: dict[str, Repair] = {"Median 3 × 3": median}


def keep_known(x_hat: Tensor, x_bad: Tensor, damaged: Tensor) -> Tensor:
    """Take ``x_hat`` where the image is damaged and ``x_bad`` elsewhere: tells a model the mask."""
    return torch.where(damaged, x_hat, x_bad)


def model_repair(model: Reconstructs, told_mask: bool = False) -> Repair:
    """A model as a repair: its reconstruction of the corrupted image.

    ``told_mask``: undamaged pixels are then put back, so that it knows what inpainting knows.
    """

    def repair(x_bad: Tensor, damaged: Tensor) -> Tensor:
        with torch.no_grad():
            x_hat = model.reconstruct(x_bad.to(device_of(model))).to(x_bad)
        return keep_known(x_hat, x_bad, damaged) if told_mask else x_hat

    return repair


def mse(x_hat: Tensor, x: Tensor) -> Tensor:
    """Squared error per image, mean over pixels in the [0, 1] scale: (B, ...) -> (B,)."""
    return (x_hat - x).square().flatten(1).mean(1)


@dataclass(frozen=True)
class ErrorCurve:
    """Error of one repair against strength: mean over images and its standard error."""

    strength: tuple[float, ...]
    mean: tuple[float, ...]
    stderr: tuple[float, ...]


def error_curves(
    x: Tensor,
    corrupt: Corrupt,
    strengths: tuple[float, ...],
    repairs: Mapping[str, Repair],
    seed: int = 0,
) -> dict[str, ErrorCurve]:
    """Corrupt the same images at each strength and measure every repair.

    ``x``: (B, C, H, W), B >= 2. All repairs see the same damage, and the same random numbers serve
    every strength, so that differences are of the method, not of luck.
    """
    if len(x) < 2:
        raise ValueError(f"x must hold at least 2 images for a standard error, got {len(x)}")
    errors: dict[str, list[Tensor]] = {name: [] for name in repairs}
    for strength in strengths:
        x_bad, damaged = corrupt(x, strength, torch.Generator().manual_seed(seed))
        for name, repair in repairs.items():
            errors[name].append(mse(repair(x_bad, damaged), x))
    return {name: _curve(strengths, rows) for name, rows in errors.items()}


def _curve(strengths: tuple[float, ...], rows: list[Tensor]) -> ErrorCurve:
    stacked = torch.stack(rows)
    stderr = stacked.std(1) / stacked.shape[1] ** 0.5
    return ErrorCurve(strengths, tuple(stacked.mean(1).tolist()), tuple(stderr.tolist()))


def _inpaint(x_bad: Tensor, damaged: Tensor, method: int) -> Tensor:
    if x_bad.shape != damaged.shape or x_bad.dim() != 4:
        raise ValueError(
            "x_bad and damaged must have the same shape (B, C, H, W), "
            f"got {tuple(x_bad.shape)} and {tuple(damaged.shape)}"
        )
    planes = (x_bad.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).flatten(0, 1).numpy()
    holes = damaged.cpu().to(torch.uint8).flatten(0, 1).numpy()
    filled = np.stack([_fill(p, h, method) for p, h in zip(planes, holes, strict=True)])
    x_hat = torch.from_numpy(filled).view(x_bad.shape).to(x_bad) / 255
    # OpenCV works in 8 bits; the pixels that were never in doubt keep their float value.
    return torch.where(damaged, x_hat, x_bad)


def _fill(plane: np.ndarray, hole: np.ndarray, method: int) -> np.ndarray:
    """One (H, W) uint8 plane. Without a known pixel there is nothing to read: it stays as it is."""
    if hole.all() or not hole.any():
        return plane
    # OpenCV's result depends a little on what lies under the mask. It should not, so that is hidden
    # under the mean of the known pixels.
    hidden = np.where(hole, np.uint8(round(float(plane[hole == 0].mean()))), plane)
    return cv2.inpaint(hidden, hole, RADIUS, method)
