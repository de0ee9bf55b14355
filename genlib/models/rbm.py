"""Restricted Boltzmann machine: p(v, h) = exp(-E(v, h)) / Z with binary units.

Sources: slides "Generative taxonomy" (contrastive divergence), Hinton 2002, "Training products of
experts by minimizing contrastive divergence"; Tieleman 2008 (persistent chains).

    E(v, h) = -a v - b h - v W h
    F(v) = -log sum_h exp(-E(v, h)) = -a v - sum_j softplus(b + v W)_j

The loss mean F(data) - mean F(sample), the sample held fixed, has the CD-k gradient. Grey pixels
are probabilities of ink: each visit binarizes an image again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from genlib.models.base import Model, ModelSettings
from genlib.models.bipartite import Bipartite
from genlib.models.layers import binarize
from genlib.models.optimizers import SGD
from genlib.settings import setting


@dataclass(frozen=True)
class RBMSettings(ModelSettings):
    """Sizes and training of an RBM."""

    n_hidden: int = setting(500, 1, 4096, "Hidden units.")
    k: int = setting(1, 1, 100, "Gibbs steps of contrastive divergence.")
    persistent: bool = setting(False, help="Keep the chains from step to step (PCD).")
    chains: int = setting(128, 1, 4096, "Persistent chains.")
    restart: float = setting(
        0.0, 0.0, 1.0, "Share of the persistent chains that restart from noise at each step."
    )
    momentum: float = setting(0.5, 0.0, 0.99, "Momentum of the gradient steps.")


class RBM(Bipartite, Model):
    """784-500 by default. Energy: the free energy F(v) in nats, up to the constant log Z."""

    family = "rbm"
    title = "Restricted Boltzmann machine"
    units: ClassVar[Mapping[str, str]] = {"reconstruction": "squared error per unit"}
    source = "Slides “Generative taxonomy”; Hinton 2002"
    Config = RBMSettings
    config: RBMSettings
    defaults: ClassVar[dict[str, object]] = {"epochs": 10, "lr": 0.05}

    def __init__(self, config: RBMSettings) -> None:
        super().__init__(config)
        self.connect(config.pixels, config.n_hidden, config.chains)

    def pairs(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """The only pair: (W, a, b)."""
        return [(self.weight, self.a, self.b)]

    def energy(self, x: Tensor) -> Tensor:
        """F of the image rounded to black and white, in nats up to log Z: (B,)."""
        return self.free_energy((x.flatten(1) > 0.5).float())

    def unnormalised(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """log p*(x) = -F(x), exact, in nats: binary (B, C, H, W) -> (B,)."""
        return -self.free_energy(x.flatten(1))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Mean-field v -> h -> v: (B, C, H, W) -> probabilities (B, C, H, W)."""
        h = self.hidden_probabilities(x.flatten(1))
        return self.visible_probabilities(h).view_as(x)

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator, steps: int = 200) -> Tensor:
        """p(v|h) at the end of a Gibbs chain from noise: (n, C, H, W)."""
        v = binarize(torch.full((n, self.config.pixels), 0.5, device=self.a.device), rng)
        h = binarize(self.hidden_probabilities(self.gibbs(v, steps, rng)), rng)
        return self.visible_probabilities(h).view(n, *self.config.shape)

    def kernels(self) -> Tensor:
        """Weights of each hidden unit as an image, averaged over channels: (n_hidden, H, W)."""
        return self.weight.detach().t().reshape(-1, *self.config.shape).mean(1)

    def hidden(self, x: Tensor) -> Tensor:
        """p(h | v): (B, C, H, W) -> (B, n_hidden)."""
        return self.hidden_probabilities(x.flatten(1))

    def optimizers(self, lr: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """Plain gradient steps with momentum, as contrastive divergence is used."""
        momentum = self.config.momentum
        sgd = SGD(self.parameters(), lr, momentum, weight_decay=weight_decay)
        return {"sgd": sgd}

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """loss = mean F(v) - mean F(v_k), in nats, and the squared reconstruction error per pixel.

        The difference isn't a likelihood: it may fall or rise while the model gets better.
        """
        v = binarize(x.flatten(1), rng)
        c = self.config
        return self.contrast(v, c.k, c.persistent, rng, c.restart)
