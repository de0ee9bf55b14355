"""Principal components of a set of images, and how a linear autoencoder finds the same subspace.

Sources: Pearson 1901; Baldi & Hornik 1989, "Neural networks and principal component analysis: the
linear autoencoder's only minima span the principal axes"; Bjorck & Golub 1973 (principal angles).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib.models.optimizers import Adam

Array = NDArray[np.float32]
ROWS = 256  # images at a time: sums of so many squares of bytes are whole numbers in float32


@dataclass(frozen=True)
class Components:
    """All principal components of images with P pixels, widest first.

    mean (P,); axes (P, P), one orthonormal axis a row; variances (P,), their sum is the total.
    """

    mean: Array
    axes: Array
    variances: Array

    @property
    def explained(self) -> NDArray[np.float64]:
        """Share of the variance that the first 1, 2, ... axes hold: (P,), rising to 1."""
        return np.cumsum(self.variances, dtype=np.float64) / self.variances.sum(dtype=np.float64)

    def covariance(self) -> Array:
        """The covariance of the pixels: (P, P)."""
        scaled: Array = self.axes.T * self.variances
        product: Array = (scaled @ self.axes).astype(np.float32)
        return product

    def noise(self, d: int) -> float:
        """Mean variance of the axes after the first d: probabilistic PCA's noise."""
        return float(self.variances[d:].mean(dtype=np.float64))


def components(x: Tensor) -> Components:
    """All principal components of images uint8 (N, C, H, W), pixels in [0, 1], variances over N."""
    # Whole numbers, summed exactly: no copy of all images as float is needed.
    pixels = x[0].numel()
    total, square = np.zeros(pixels), np.zeros((pixels, pixels))
    for part in x.flatten(1).split(ROWS):
        rows = part.numpy().astype(np.float32)
        total += rows.sum(0, dtype=np.float64)
        square += rows.T @ rows
    mean = total / len(x)
    variances, axes = np.linalg.eigh((square / len(x) - np.outer(mean, mean)) / 255**2)
    variances, axes = np.maximum(variances[::-1], 0), axes.T[::-1]
    # An axis and its opposite are the same axis: let the heavier side be positive.
    signs = np.where(axes.sum(axis=1, keepdims=True) < 0, -1, 1)
    return Components(*(a.astype(np.float32) for a in (mean / 255, axes * signs, variances)))


def principal_angles(a: Array, b: Array) -> NDArray[np.float64]:
    """Angles between the subspaces spanned by the columns of a (P, k) and b (P, m), in degrees.

    Smallest first, min(k, m) of them: all 0 where one subspace holds the other, 90 where a
    direction of one is at right angles to the whole other.
    """
    from scipy.linalg import subspace_angles

    return np.rad2deg(subspace_angles(a.astype(np.float64), b.astype(np.float64)))[::-1]


@dataclass(frozen=True)
class Moment:
    """A linear autoencoder after some steps.

    loss: mean squared error of an image, summed over pixels; decoder (P, k); angles (k,) to the
    first k principal axes, in degrees, smallest first.
    """

    step: int
    loss: float
    decoder: Array
    angles: NDArray[np.float64]


def train_linear(
    found: Components, k: int, steps: int, seed: int = 0, every: int = 10, lr: float = 3e-3
) -> Iterator[Moment]:
    """Train x_hat = D E x (centred x, E (k, P), D (P, k)) by Adam on all images at once.

    With C the covariance, the mean error over all images is tr((I - DE) C (I - DE)'): so one step
    on 60,000 images costs no more than on one, and has no noise.
    """
    rng = torch.Generator().manual_seed(seed)
    covariance = torch.from_numpy(found.covariance())
    pixels = len(covariance)
    encoder = (torch.randn(k, pixels, generator=rng) / pixels**0.5).requires_grad_(True)
    decoder = (torch.randn(pixels, k, generator=rng) / pixels**0.5).requires_grad_(True)
    optimizer = Adam([encoder, decoder], lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, lr / 50)
    total, axes = float(covariance.trace()), found.axes[:k].T
    for step in range(steps + 1):
        projected = encoder @ covariance  # (k, P): all that is needed of C
        # tr(C) - 2 tr(D E C) + tr(D E C E' D')
        loss = total - 2 * (decoder.t() * projected).sum()
        loss = loss + ((decoder.t() @ decoder) * (projected @ encoder.t())).sum()
        if step % every == 0 or step == steps:
            basis = decoder.detach().numpy().copy()
            yield Moment(step, loss.item(), basis, principal_angles(basis, axes))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()


def nearest_in(decoder: Array, axes: Array) -> Array:
    """For each axis (a row of axes (m, P)) the nearest unit vector that decoder (P, k) can make.

    The columns of a linear autoencoder are some skew basis of the subspace; this turns them to the
    principal axes. (m, P).
    """
    q, _ = np.linalg.qr(decoder)
    near = (axes @ q) @ q.T
    return near / np.maximum(np.linalg.norm(near, axis=1, keepdims=True), 1e-12)
