"""What the units of a first layer look for, and which of them are dead.

Source: lecture text "Autoencoders to GANs", figures 4 and 6. It reads a kernel that shows only
noise as a unit that "collapsed or died". That holds in under-complete nets; in over-complete ones
rough kernels can be active, so the first criterion here is a silent activation.

Why there is noise at all: a pixel that is -1 in every training image acts as a second bias. All
such pixels get the same gradient at every step, so training moves their weights by one common
amount and never removes the differences that the random start gave them:

    . : : .      border: always the same value, weights = random start + one shift  -> noise
    : # # :      inside: varies from digit to digit, weights are learnt             -> structure
    . : : .

Dropout noise in a denoising autoencoder makes the border vary too, and the noise is unlearnt.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genlib.models.capabilities import HasKernels, Reconstructs

BATCH = 2000
CONSTANT, VARYING = 0.01, 0.25  # pixel's standard deviation relative to the largest one


@dataclass(frozen=True)
class Kernels:
    """The first layer of one model, measured on images.

    weights: (n, H, W); activity: (n,) standard deviation of each unit's activation over the
    images; smoothness: (n,) see ``smoothness``; strength: (n,) L2 norm of each kernel.
    border_noise: see ``border_noise``.
    """

    weights: Tensor
    activity: Tensor
    smoothness: Tensor
    strength: Tensor
    border_noise: float


def measure(weights: Tensor, activity: Tensor, spread: Tensor) -> Kernels:
    """Measure a layer: kernels (n, H, W), ``activations`` (B, n), ``pixel_spread`` (H, W)."""
    return Kernels(
        weights=weights,
        activity=activity.float().std(0),
        smoothness=smoothness(weights, spread > VARYING * spread.max()),
        strength=weights.flatten(1).norm(dim=1),
        border_noise=border_noise(weights, spread),
    )


def activations(model: HasKernels, x: Tensor) -> Tensor:
    """First-layer activations of images, in batches to bound memory: (B, C, H, W) -> (B, n)."""
    device = device_of(model)
    with torch.no_grad():
        return torch.cat([model.hidden(part.to(device)).float().cpu() for part in x.split(BATCH)])


def pixel_spread(x: Tensor) -> Tensor:
    """Standard deviation of every pixel over the images: (B, C, H, W) -> (H, W)."""
    return x.float().mean(1).std(0)


def smoothness(weights: Tensor, inside: Tensor) -> Tensor:
    """Correlation between the weights of neighbouring pixels inside a region: (n,) in [-1, 1].

    (n, H, W), bool (H, W) -> (n,). White noise gives 0 with a standard deviation of one over the
    root of the number of pairs (about 0.04 on MNIST); a learnt stroke is smooth and gives more.
    A kernel without any variance gives 0, a region of fewer than 3 pixels nan. (Moran's I with
    right and lower neighbours.)
    """
    if inside.sum() < 3:
        return torch.full((len(weights),), math.nan)
    w = torch.where(inside, weights - weights[:, inside].mean(1)[:, None, None], 0.0)
    right, down = inside[:, 1:] & inside[:, :-1], inside[1:] & inside[:-1]
    products = (w[:, :, 1:] * w[:, :, :-1]).sum((1, 2)) + (w[:, 1:] * w[:, :-1]).sum((1, 2))
    variance = w.square().sum((1, 2)) / inside.sum()
    return products / (right.sum() + down.sum()) / variance.clamp_min(1e-12)


def varying_pixels(spread: Tensor) -> int:
    """How many pixels carry the digits: spread above a quarter of the largest."""
    return int((spread > VARYING * spread.max()).sum())


def border_noise(weights: Tensor, spread: Tensor) -> float:
    """Roughness of the border that never varies over that of the inside; median of all kernels.

    (n, H, W), (H, W) -> a number at least 0. About 1: salt and pepper up to the edge; near 0: calm.
    nan where fewer than two pixels never vary, as in colour pictures, or fewer than two do.
    """
    flat, s = weights.flatten(1), spread.flatten()
    inside, border = s > VARYING * s.max(), s <= CONSTANT * s.max()
    if inside.sum() < 2 or border.sum() < 2:
        return math.nan
    return float((flat[:, border].std(1) / flat[:, inside].std(1).clamp_min(1e-12)).median())


def silence_score(kernels: Kernels) -> Tensor:
    """Activity relative to the upper quartile of all units: (n,). Near 0: always says the same.

    The quartile and not the median, since half of a large layer may be dead.
    """
    return kernels.activity / kernels.activity.quantile(0.75).clamp_min(1e-12)


def smoothness_score(kernels: Kernels) -> Tensor:
    """``smoothness`` of each kernel: (n,). Near 0: only noise."""
    return kernels.smoothness


@dataclass(frozen=True)
class Criterion:
    """A way to call a unit dead: score below threshold."""

    title: str
    score: Callable[[Kernels], Tensor]
    threshold: float
    low: float
    high: float
    text: str


CRITERIA: dict[str, Criterion] = {
    "silent": Criterion(
        "Silent",
        silence_score,
        0.1,
        0.0,
        1.0,
        "the standard deviation of its activation over the test digits is below **threshold ×** "
        "the upper quartile of all units: it says the same about every digit.",
    ),
    "noise": Criterion(
        "Noise-like",
        smoothness_score,
        0.15,
        0.0,
        1.0,
        "neighbouring weights, where digits vary, correlate less than **threshold**. White noise "
        "has 0 ± 0.04, a learned stroke is smooth.",
    ),
}


def dead(kernels: Kernels, criterion: str, threshold: float | None = None) -> Tensor:
    """Units whose score is below the threshold (None: the criterion's own): bool (n,)."""
    if criterion not in CRITERIA:
        raise ValueError(f"criterion must be one of {', '.join(CRITERIA)}, got {criterion!r}")
    rule = CRITERIA[criterion]
    return rule.score(kernels) < (rule.threshold if threshold is None else threshold)


ORDERS: dict[str, Callable[[Kernels], Tensor]] = {
    "strength": lambda k: -k.strength,
    "activity": lambda k: -k.activity,
    "smoothness": lambda k: -k.smoothness,
    "as trained": lambda k: torch.arange(len(k.weights)).float(),
}


def order(kernels: Kernels, by: str) -> Tensor:
    """Indices of the units, largest first (or as trained): int64 (n,)."""
    if by not in ORDERS:
        raise ValueError(f"by must be one of {', '.join(ORDERS)}, got {by!r}")
    return ORDERS[by](kernels).argsort(stable=True)


def device_of(model: object) -> torch.device:
    """Where a model's weights are; the CPU for a model without weights."""
    weights = model.parameters() if isinstance(model, torch.nn.Module) else iter(())
    first = next(weights, None)
    return torch.device("cpu") if first is None else first.device


def reconstruct(model: Reconstructs, x: Tensor) -> Tensor:
    """Reconstructions of x (B, C, H, W), wherever the model is, back on x's device."""
    with torch.no_grad():
        return model.reconstruct(x.to(device_of(model))).to(x)


def reconstruction_errors(model: Reconstructs, x: Tensor) -> Tensor:
    """Squared error of each image, mean over pixels in the [0, 1] scale: (B, C, H, W) -> (B,)."""
    parts = [
        (reconstruct(model, part) - part).square().flatten(1).mean(1) for part in x.split(BATCH)
    ]
    return torch.cat(parts)


def mean_and_stderr(values: Tensor) -> tuple[float, float]:
    """Mean and its standard error, std / sqrt(n): (n,), n >= 2."""
    if values.numel() < 2:
        raise ValueError(f"a standard error needs at least 2 values, got {values.numel()}")
    return float(values.mean()), float(values.std() / values.numel() ** 0.5)


def by_class(values: Tensor, y: Tensor, n_classes: int) -> list[tuple[float, float]]:
    """Mean and standard error of ``values`` (n,) within each class of y (n,).

    nan and nan for a class with fewer than 2 values.
    """
    groups = [values[y == c].float() for c in range(n_classes)]
    return [mean_and_stderr(g) if len(g) > 1 else (math.nan, math.nan) for g in groups]
