"""Boltzmann machine: binary units, every one coupled to every other; small, so exactly known.

Sources: Ackley, Hinton & Sejnowski 1985, "A learning algorithm for Boltzmann machines"; slides
"Generative taxonomy".

    E(s) = -sum_i theta_i s_i - 1/2 sum_ij K_ij s_i s_j,    s = (v, h),  K symmetric, K_ii = 0

                 visible   hidden
        visible  [  K_vv     W   ]      An RBM has K_vv = K_hh = 0. Then all hidden units can be
        hidden   [  W^T     K_hh ]      drawn at once; here each has to wait for the one before.

Everything that needs all states is enumerated: log Z over pixels and hidden units. Hence the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor, nn

from genlib.models.base import Model, ModelSettings, small_random
from genlib.models.layers import binarize
from genlib.settings import setting

LIMIT = 24  # units; 2^24 states are summed in some seconds


@dataclass(frozen=True)
class BoltzmannSettings(ModelSettings):
    """Sizes and training of a general Boltzmann machine."""

    image_size: int = setting(4, 2, 256, "Height and width of the images in pixels.")
    n_hidden: int = setting(6, 1, 16, "Hidden units.")
    sweeps: int = setting(1, 1, 100, "Gibbs sweeps over all units for each gradient step.")
    chains: int = setting(128, 1, 4096, "Persistent chains.")


class Boltzmann(Model):
    """16 pixels and 6 hidden units by default. Energy: the free energy F(v) in nats.

    Trained by persistent chains, the hidden units summed out exactly; the test loss is the exact
    -log p(v).
    """

    family = "boltzmann"
    title = "Boltzmann machine"
    source = "Slides “Generative taxonomy”; Ackley, Hinton & Sejnowski 1985"
    Config = BoltzmannSettings
    config: BoltzmannSettings
    defaults: ClassVar[dict[str, object]] = {"epochs": 40, "lr": 1e-2, "batch_size": 60}
    chain: Tensor

    def __init__(self, config: BoltzmannSettings) -> None:
        super().__init__(config)
        n = config.pixels + config.n_hidden
        if n > LIMIT:
            raise ValueError(
                f"pixels and n_hidden must be at most {LIMIT} together, because a general "
                f"Boltzmann machine is summed over all its states; got {config.pixels} and "
                f"{config.n_hidden}: take the dataset bars"
            )
        self.raw = nn.Parameter(small_random(n, n))  # above the diagonal: the couplings
        self.theta = nn.Parameter(torch.zeros(n))
        self.register_buffer("chain", torch.zeros(config.chains, n))

    def couplings(self) -> Tensor:
        """K: symmetric with zero diagonal, (n, n), pixels first."""
        upper = self.raw.triu(1)
        return upper + upper.t()

    def free_energy(self, v: Tensor) -> Tensor:
        """F(v) = -log sum_h exp(-E(v, h)), h enumerated, in nats: (B, n_visible) -> (B,)."""
        return self._visible_energy(v) - self._hidden_scores(v).logsumexp(1)

    def _visible_energy(self, v: Tensor) -> Tensor:
        n = self.config.pixels
        k = self.couplings()[:n, :n]
        return -(v @ self.theta[:n]) - 0.5 * ((v @ k) * v).sum(1)

    def _hidden_scores(self, v: Tensor) -> Tensor:
        """-E(v, h) less what depends on v alone, for every h: (B, n_visible) -> (B, 2^n_hidden)."""
        n, k = self.config.pixels, self.couplings()
        h = states(self.config.n_hidden).to(v)
        own = h @ self.theta[n:] + 0.5 * ((h @ k[n:, n:]) * h).sum(1)
        return (v @ k[:n, n:]) @ h.t() + own

    def hidden_probabilities(self, v: Tensor) -> Tensor:
        """p(h_j = 1 | v), exact: (B, n_visible) -> (B, n_hidden)."""
        return self._hidden_scores(v).softmax(1) @ states(self.config.n_hidden).to(v)

    def log_z(self) -> Tensor:
        """log Z in nats, a scalar, over all states of pixels and hidden units."""
        v = states(self.config.pixels).to(self.theta)
        return torch.cat([-self.free_energy(part) for part in v.split(1 << 14)]).logsumexp(0)

    def log_likelihood(self, x: Tensor) -> Tensor:
        """Exact log p(x) = -F(x) - log Z, in nats: binary (B, C, H, W) -> (B,)."""
        return -self.free_energy(x.flatten(1)) - self.log_z()

    def energy(self, x: Tensor) -> Tensor:
        """F of the image rounded to black and white, in nats up to log Z: (B,)."""
        return self.free_energy((x.flatten(1) > 0.5).float())

    @torch.no_grad()
    def sweep(self, s: Tensor, rng: torch.Generator, known: int = 0) -> Tensor:
        """One Gibbs sweep: each unit after the first ``known`` in turn, (B, n) -> (B, n).

        p(s_i = 1 | rest) = sigmoid(theta_i + sum_j K_ij s_j).
        """
        s, k = s.clone(), self.couplings()
        for i in range(known, s.shape[1]):
            s[:, i] = binarize((s @ k[:, i] + self.theta[i]).sigmoid(), rng)
        return s

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator, steps: int = 200) -> Tensor:
        """Pixels at the end of a Gibbs chain of sweeps from noise: binary (n, C, H, W)."""
        s = binarize(torch.full((n, len(self.theta)), 0.5, device=self.theta.device), rng)
        for _ in range(steps):
            s = self.sweep(s, rng)
        return s[:, : self.config.pixels].view(n, *self.config.shape)

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """In training mean F(v) - mean F(chains), else the exact mean -log p(v); nats."""
        v = binarize(x.flatten(1), rng)
        if not self.training:
            return {"loss": self.free_energy(v).mean() + self.log_z()}
        for _ in range(self.config.sweeps):
            self.chain.copy_(self.sweep(self.chain, rng))
        dreamt = self.free_energy(self.chain[:, : self.config.pixels])
        return {"loss": self.free_energy(v).mean() - dreamt.mean()}


@lru_cache(maxsize=8)
def states(n: int) -> Tensor:
    """All binary states of n units, the first unit slowest: (2^n, n) of 0 and 1."""
    codes = torch.arange(1 << n)[:, None] >> torch.arange(n - 1, -1, -1)
    return (codes & 1).float()
