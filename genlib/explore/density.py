"""Densities over latent space, fitted to codes: the other half of a generative model.

A decoder alone generates nothing: someone must say which z to decode. The slides put a density
model on the codes of the data, sample there and decode:

    f(X) ~ N(m, D),   m and the diagonal D estimated on training data

and call the results unsatisfying, because that model is too simple. Here it stands next to the
standard normal (which a VAE was trained to fit and a plain autoencoder was not), the full Gaussian
and a mixture of Gaussians (scikit-learn's EM).

A density is a plain object with `sample` and `log_density`; DENSITIES names how to fit each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:  # it takes 60 MB, and the other densities do without
    from sklearn.mixture import GaussianMixture

# Added to variances: a dead latent (always 0) has variance 0, and log 0 would swallow every number.
FLOOR = 1e-6
COMPONENTS = 20


class Density(Protocol):
    """Somewhere to draw codes from."""

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw codes (n, d), float32."""

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """log p(z) in nats: (n, d) -> (n,)."""


@dataclass(frozen=True)
class GaussianDensity:
    """N(mean, L L^T): mean (d,), factor L (d, d) lower triangular."""

    mean: np.ndarray
    factor: np.ndarray

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw mean + L eps, eps ~ N(0, I): (n, d)."""
        noise = rng.standard_normal((n, len(self.mean)))
        return (self.mean + noise @ self.factor.T).astype(np.float32)

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """-(|L^-1 (z - mean)|^2 + d log 2 pi) / 2 - log det L, in nats: (n, d) -> (n,)."""
        white = np.linalg.solve(self.factor, (z - self.mean).T)
        constant = len(self.mean) * math.log(2 * math.pi)
        return -0.5 * ((white**2).sum(0) + constant) - np.log(np.diag(self.factor)).sum()


@dataclass(frozen=True)
class MixtureDensity:
    """A mixture of Gaussians as scikit-learn fitted it."""

    fitted: GaussianMixture

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Choose a component for each code, then draw from it: (n, d)."""
        weights = self.fitted.weights_ / self.fitted.weights_.sum()
        chosen = rng.choice(len(weights), size=n, p=weights)
        noise = rng.standard_normal((n, self.fitted.means_.shape[1]))
        out = np.empty_like(noise)
        for component in np.unique(chosen):
            rows = chosen == component
            covariance = self.fitted.covariances_[component]
            if covariance.ndim == 1:
                spread = noise[rows] * np.sqrt(covariance)
            else:
                spread = noise[rows] @ np.linalg.cholesky(covariance).T
            out[rows] = self.fitted.means_[component] + spread
        return out.astype(np.float32)

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """log sum_k w_k N(z; m_k, S_k) in nats: (n, d) -> (n,)."""
        return self.fitted.score_samples(z.astype(np.float64))


def standard_normal(codes: np.ndarray) -> Density:
    """N(0, I), whatever the codes (n, d) are: the prior of a VAE."""
    d = codes.shape[1]
    return GaussianDensity(np.zeros(d), np.eye(d))


def diagonal_gaussian(codes: np.ndarray) -> Density:
    """Each latent by itself: mean and variance of the codes (n, d), as in the slides."""
    codes = codes.astype(np.float64)
    return GaussianDensity(codes.mean(0), np.diag(np.sqrt(codes.var(0) + FLOOR)))


def full_gaussian(codes: np.ndarray) -> Density:
    """Mean and covariance of the codes (n, d)."""
    codes = codes.astype(np.float64)
    covariance = np.cov(codes, rowvar=False).reshape(codes.shape[1], codes.shape[1])
    return GaussianDensity(
        codes.mean(0), np.linalg.cholesky(covariance + FLOOR * np.eye(len(covariance)))
    )


def gaussian_mixture(codes: np.ndarray) -> Density:
    """20 Gaussians by EM on the codes (n, d).

    Full covariances up to 50 latents, diagonal ones above: 20 full covariances of 500 latents
    are five million numbers, far more than the codes can determine.
    """
    from sklearn.mixture import GaussianMixture

    kind = "full" if codes.shape[1] <= 50 else "diag"
    fitted = GaussianMixture(
        min(COMPONENTS, len(codes)),
        covariance_type=kind,
        reg_covar=FLOOR,
        max_iter=60,
        tol=1e-2,
        random_state=0,
    )
    return MixtureDensity(fitted.fit(codes.astype(np.float64)))


DENSITIES: dict[str, Callable[[np.ndarray], Density]] = {
    "Standard normal": standard_normal,
    "Diagonal Gaussian": diagonal_gaussian,
    "Full Gaussian": full_gaussian,
    "Gaussian mixture": gaussian_mixture,
}


def held_out(density: Density, codes: np.ndarray) -> tuple[float, float]:
    """Mean log-density of codes that were not fitted (n, d), and its standard error, in nats."""
    values = density.log_density(codes)
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))
