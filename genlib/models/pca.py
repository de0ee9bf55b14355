"""Principal components as a generative model: probabilistic PCA.

Sources: Tipping & Bishop 1999, "Probabilistic principal component analysis"; the incremental
update is that of Ross, Lim, Lin & Yang 2008, "Incremental learning for robust visual tracking"
(scikit-learn's IncrementalPCA does the same).

    x = mu + W z + noise,   z ~ N(0, I_d),   noise ~ N(0, s I)      W = U (L - s I)^(1/2)
    p(x) = N(mu, W W' + s I): variance L_j along the axis U_j, and s in every other direction

L are the d largest eigenvalues of the covariance, s is the mean of the others: the exact maximum of
the likelihood. So a training step follows no gradient: it merges a batch into the axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from genlib.models.base import Model, ModelSettings
from genlib.models.layers import Clamp, standard_normal
from genlib.settings import setting

LEAST_NOISE = 1e-4  # variance of a pixel; with fewer images than axes nothing would be left


@dataclass(frozen=True)
class PCASettings(ModelSettings):
    """Size of a principal component analysis."""

    latent_dim: int = setting(50, 1, 512, "Principal axes kept.")


class PCA(Model):
    """Mean and 50 principal axes by default. Energy: -log p(x) of grey pixels in nats, a density.

    A density may be above 1, so the energy may be negative, and it must not be compared with nats
    of binary pixels.
    """

    family = "pca"
    title = "Principal components"
    source = "Tipping & Bishop 1999; Ross et al. 2008"
    Config = PCASettings
    config: PCASettings
    defaults: ClassVar[dict[str, object]] = {"epochs": 1, "batch_size": 1000}
    seen: Tensor

    def __init__(self, config: PCASettings) -> None:
        super().__init__(config)
        if config.latent_dim >= config.pixels:
            raise ValueError(
                f"latent_dim must be below the {config.pixels} pixels, got {config.latent_dim}"
            )
        self.latent_dim = config.latent_dim
        to_pixels = nn.Linear(config.latent_dim, config.pixels)  # z -> mu + W z
        self.decoder = nn.Sequential(to_pixels, Clamp(), nn.Unflatten(1, config.shape))
        self.log_noise = nn.Parameter(torch.zeros(()))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    @property
    def linear(self) -> nn.Linear:
        """z -> mu + W z; its bias is the mean image, its weight W (pixels, latent_dim)."""
        return cast(nn.Linear, self.decoder[0])

    def axes(self) -> Tensor:
        """Orthonormal principal axes, widest first: (latent_dim, pixels)."""
        return (self.linear.weight / self._scale().clamp_min(1e-8)).t()

    def variances(self) -> Tensor:
        """Variance L_j of the images along each axis: (latent_dim,)."""
        return self._scale().square() + self.log_noise.exp()

    def _scale(self) -> Tensor:
        return self.linear.weight.square().sum(0).sqrt()

    def project(self, x: Tensor) -> Tensor:
        """Coordinates U'(x - mu) along the axes: (B, C, H, W) -> (B, latent_dim)."""
        return (x.flatten(1) - self.linear.bias) @ self.axes().t()

    def embed(self, x: Tensor) -> Tensor:
        """The z whose decoding is nearest to x, (W'W)^-1 W'(x - mu): (B, latent_dim).

        The posterior's mean is this shrunk by (L - s) / L; PCA's own projection is not.
        """
        return self.project(x) / self._scale().clamp_min(1e-8)

    def decode(self, z: Tensor) -> Tensor:
        """mu + W z, brought into [0, 1]: (B, latent_dim) -> (B, C, H, W)."""
        return self.decoder(z)

    def decoder_layers(self) -> nn.Sequential:
        """The linear decoder from z to (C, H, W) pixels in [0, 1]."""
        return self.decoder

    def reconstruct(self, x: Tensor) -> Tensor:
        """Projection on the axes: (B, C, H, W) -> (B, C, H, W) in [0, 1]."""
        return self.decode(self.embed(x))

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """mu + W z for z ~ N(0, I), without the pixel noise: (n, C, H, W) in [0, 1]."""
        return self.decode(standard_normal((n, self.latent_dim), rng, self.linear.weight))

    def log_density(self, x: Tensor) -> Tensor:
        """log N(x; mu, W W' + s I) of grey pixels in [0, 1], in nats: (B, C, H, W) -> (B,)."""
        along = self.project(x)
        spread = self.variances()
        inside = -0.5 * (along.square() / spread + spread.log() + math.log(2 * math.pi)).sum(1)
        return inside + self.log_residual(x, along)

    def log_residual(self, x: Tensor, along: Tensor) -> Tensor:
        """log N of what the axes leave over, in its pixels - latent_dim directions: (B,).

        ``along``: x's coordinates (B, latent_dim), as ``project`` gives them.
        """
        rest = (x.flatten(1) - self.linear.bias).square().sum(1) - along.square().sum(1)
        directions = self.config.pixels - self.latent_dim
        constant = directions * (self.log_noise + math.log(2 * math.pi))
        return -0.5 * (rest / self.log_noise.exp() + constant)

    def energy(self, x: Tensor) -> Tensor:
        """-log p(x), in nats: (B,)."""
        return -self.log_density(x)

    def kernels(self) -> Tensor:
        """The principal axes as images, averaged over channels: (latent_dim, H, W)."""
        return self.axes().detach().reshape(-1, *self.config.shape).mean(1)

    def hidden(self, x: Tensor) -> Tensor:
        """Coordinates along the axes: (B, C, H, W) -> (B, latent_dim)."""
        return self.project(x)

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """-log p(x) in nats, batch mean."""
        return {"loss": -self.log_density(x).mean()}

    def step(self, x: Tensor, y: Tensor, *others: object) -> dict[str, Tensor]:
        """Merge a batch into mean, axes, variances and noise; no gradient is taken."""
        self.absorb(x)
        with torch.no_grad():
            return {"loss": -self.log_density(x).mean()}

    @torch.no_grad()
    def absorb(self, x: Tensor) -> None:
        """Take images (B, C, H, W) into account as if they had been seen with all earlier ones.

        What lay outside the axes before is remembered by its variance alone, so that the last axes
        come out a little different from those of all images at once.
        """
        flat = x.detach().flatten(1).float()
        n, b, d, pixels = int(self.seen), len(flat), self.latent_dim, self.config.pixels
        mean, mean_b = self.linear.bias, flat.mean(0)
        rows = [flat - mean_b]
        total = rows[0].square().sum()  # squared distances from the mean, over all images
        if n:
            shift = (mean - mean_b) * math.sqrt(n * b / (n + b))
            kept = self.variances()
            rows += [self.axes() * (n * kept).sqrt()[:, None], shift[None]]
            total += n * (kept.sum() + (pixels - d) * self.log_noise.exp()) + shift.square().sum()
        _, s, vh = torch.linalg.svd(torch.cat(rows), full_matrices=False)
        spread = flat.new_zeros(d)
        spread[: len(s)] = s[:d].square() / (n + b)
        noise = ((total / (n + b) - spread.sum()) / (pixels - d)).clamp_min(LEAST_NOISE)
        self.linear.weight.zero_()
        self.linear.weight[:, : len(s)] = (
            vh[:d].t() * (spread - noise).clamp_min(0).sqrt()[: len(s)]
        )
        self.linear.bias.copy_((n * mean + b * mean_b) / (n + b))
        self.log_noise.copy_(noise.log())
        self.seen.add_(b)
