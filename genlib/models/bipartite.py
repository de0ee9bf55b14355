"""Two layers of binary units, fully connected: what an RBM is and what a DBN is stacked of.

    E(v, h) = -a v - b h - v W h
    F(v) = -log sum_h exp(-E(v, h)) = -a v - sum_j softplus(b + v W)_j

Sources: Hinton 2002, "Training products of experts by minimizing contrastive divergence"; Tieleman
2008, "Training restricted Boltzmann machines using approximations to the likelihood gradient"
(persistent chains).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib.models import annealing
from genlib.models.base import small_random
from genlib.models.layers import binarize

RATE = 0.01  # of the running mean of the data


class Bipartite(nn.Module):
    """Parameters W, a, b; the persistent chains; the mean of the data, as the base of AIS."""

    weight: nn.Parameter
    a: nn.Parameter
    b: nn.Parameter
    chain: Tensor
    mean: Tensor

    def connect(self, n_visible: int, n_hidden: int, chains: int) -> None:
        """Make parameters and buffers: small random weights, no biases."""
        self.weight = nn.Parameter(small_random(n_visible, n_hidden))
        self.a = nn.Parameter(torch.zeros(n_visible))
        self.b = nn.Parameter(torch.zeros(n_hidden))
        self.register_buffer("chain", torch.zeros(chains, n_visible))
        self.register_buffer("mean", torch.full((n_visible,), 0.5))

    def free_energy(self, v: Tensor) -> Tensor:
        """F(v) = -a v - sum_j softplus(b_j + (v W)_j), in nats: (B, n_visible) -> (B,)."""
        return -(v @ self.a) - F.softplus(v @ self.weight + self.b).sum(1)

    def hidden_probabilities(self, v: Tensor) -> Tensor:
        """p(h_j = 1 | v): (B, n_visible) -> (B, n_hidden)."""
        return (v @ self.weight + self.b).sigmoid()

    def visible_probabilities(self, h: Tensor) -> Tensor:
        """p(v_i = 1 | h): (B, n_hidden) -> (B, n_visible)."""
        return (h @ self.weight.t() + self.a).sigmoid()

    @torch.no_grad()
    def gibbs(self, v: Tensor, steps: int, rng: torch.Generator) -> Tensor:
        """``steps`` rounds of h ~ p(h|v), v ~ p(v|h): binary (B, n_visible) -> same."""
        for _ in range(steps):
            h = binarize(self.hidden_probabilities(v), rng)
            v = binarize(self.visible_probabilities(h), rng)
        return v

    def contrast(
        self, v: Tensor, k: int, persistent: bool, rng: torch.Generator, restart: float = 0.0
    ) -> dict[str, Tensor]:
        """loss = mean F(v) - mean F(v_k), in nats, and the squared reconstruction error per unit.

        v_k is held fixed, so that the gradient is that of CD-k, or of PCD-k where the chains
        persist; a share ``restart`` of them restarts from noise. Only a module in training
        moves its chains and its mean. The error is that of the first 32 images: two more products
        of matrices for all would cost a quarter of the step.
        """
        up = v @ self.weight + self.b  # once for the free energy, the first Gibbs step, the error
        with torch.no_grad():
            h = up.sigmoid()
            if persistent and self.training:
                v_k = self.gibbs(self.restarted(restart, rng), k, rng)
                self.chain.copy_(v_k)
            else:
                v_k = binarize(self.visible_probabilities(binarize(h, rng)), rng)
                v_k = self.gibbs(v_k, k - 1, rng)
            if self.training:
                self.mean.lerp_(v.mean(0), RATE)
            error = (self.visible_probabilities(h[:32]) - v[:32]).square().mean()
        data = -(v @ self.a) - F.softplus(up).sum(1)
        return {"loss": data.mean() - self.free_energy(v_k).mean(), "reconstruction": error}

    def restarted(self, share: float, rng: torch.Generator) -> Tensor:
        """The persistent chains, each put back to noise with probability ``share``.

        Chains that only go on never come to modes far from the data, which then stay in the model:
        a chain from noise ends there (Du & Mordatch 2019, arXiv:1903.08689, restart 5%).
        """
        if not share:
            return self.chain
        half = torch.full_like(self.chain, 0.5)
        again = binarize(torch.full_like(self.chain[:, :1], share), rng)
        return torch.where(again > 0, binarize(half, rng), self.chain)

    def base(self) -> Tensor:
        """AIS starts from independent units with the data's mean: their biases, (n_visible,)."""
        return self.mean.clamp(0.002, 0.998).logit()

    def anneal(self, chains: int, temperatures: int, rng: torch.Generator) -> Iterator[Tensor]:
        """Log importance weights (chains,) of Z so far, about 100 times (module annealing)."""
        return annealing.anneal(self.weight, self.a, self.b, self.base(), chains, temperatures, rng)
