"""What families build with: elementwise layers, activations, stacks, random draws, Adam."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from genlib.models.optimizers import Adam


class Gaussian(NamedTuple):
    """A diagonal Gaussian: means and log-variances, each (B, d)."""

    mu: Tensor
    logvar: Tensor

    def sample(self, rng: torch.Generator) -> Tensor:
        """z = mu + eps * exp(logvar / 2), eps ~ N(0, I): reparameterised, so gradients flow.

        The lecture text samples with ``torch.rand`` (uniform) in one place and calls the noise
        ``eps`` and ``epsilon``; a standard normal is meant.
        """
        return self.mu + standard_normal(self.mu.shape, rng, self.mu) * (0.5 * self.logvar).exp()


def standard_normal(shape: tuple[int, ...], rng: torch.Generator, like: Tensor) -> Tensor:
    """N(0, 1) numbers from ``rng``, moved to the device and type of ``like``."""
    noise = torch.randn(shape, generator=rng, device=rng.device)
    return noise.to(like)


def binarize(x: Tensor, rng: torch.Generator) -> Tensor:
    """Each pixel is ink with its grey value as probability: (B, C, H, W) -> same, 0 or 1."""
    return (torch.rand(x.shape, generator=rng, device=rng.device).to(x.device) < x).to(x.dtype)


class Affine(nn.Module):
    """y = scale * x + shift, elementwise, with fixed numbers: brings tanh's [-1, 1] to [0, 1]."""

    def __init__(self, scale: float, shift: float) -> None:
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


class Clamp(nn.Module):
    """y = min(max(x, low), high): keeps a linear output inside the pixel range."""

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__()
        self.low, self.high = low, high

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(self.low, self.high)


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}


def dense(widths: Sequence[int], after: Callable[[int], Iterable[nn.Module]]) -> list[nn.Module]:
    """Linear layers from ``widths[0]`` to ``widths[-1]``, at least two widths.

    Each but the last is followed by ``after(its width)``, its nonlinearity and what comes with it.
    """
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths[:-1]):
        layers += [nn.Linear(n_in, n_out), *after(n_out)]
    return [*layers, nn.Linear(widths[-2], widths[-1])]


def adam(
    parameters: Iterable[nn.Parameter],
    lr: float,
    weight_decay: float = 0.0,
    betas: tuple[float, float] = (0.9, 0.999),
) -> Adam:
    """Adam with all parameters updated in one kernel (fused): several times faster on a CPU."""
    return Adam(parameters, lr, betas, weight_decay=weight_decay, fused=True)
