"""Deep belief network: restricted Boltzmann machines stacked, trained layer by layer.

Source: slides "Generative taxonomy"; Hinton, Osindero & Teh 2006, "A fast learning algorithm for
deep belief nets"; likelihood: Salakhutdinov & Murray 2008.

    p(v, h1, h2) = p(v | h1) p(h1, h2),    the top pair undirected, everything below it downward

        h2  <->  h1     an RBM: drawn by Gibbs steps
                 |
                 v      p(v | h1) of the first layer
                            q(h1 | v) of the first layer leads up

A new layer starts as the one below it upside down (its units with the largest weights are the new
hidden ones), where the bound on log p(v) starts nearly as tight as the layer below left it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib.models.base import Autocast, Model, ModelSettings
from genlib.models.bipartite import Bipartite
from genlib.models.layers import binarize
from genlib.models.optimizers import SGD
from genlib.settings import setting

DRAWS = 100  # importance samples of h per image
UNPLANNED = 600_000  # images for each layer when the length of the training isn't given
ROWS = 2000  # of images times samples, at once


@dataclass(frozen=True)
class DBNSettings(ModelSettings):
    """Sizes and training of a DBN."""

    n_hidden: tuple[int, ...] = setting((500, 500), 1, 4096, "Units of each layer, bottom first.")
    layer_images: int = setting(
        0,
        0,
        10**9,
        "Images that a layer is trained on before the next one starts, at most an equal share of "
        "the training. 0: an equal share.",
    )
    k: int = setting(1, 1, 100, "Gibbs steps of contrastive divergence.")
    persistent: bool = setting(True, help="Keep the chains from step to step (PCD).")
    chains: int = setting(128, 1, 4096, "Persistent chains.")
    restart: float = setting(
        0.0, 0.0, 1.0, "Share of the persistent chains that restart from noise at each step."
    )
    momentum: float = setting(0.5, 0.0, 0.99, "Momentum of the gradient steps.")


class StackedRBM(Bipartite):
    """One RBM of the stack."""

    def __init__(self, n_visible: int, n_hidden: int, chains: int) -> None:
        super().__init__()
        self.connect(n_visible, n_hidden, chains)

    @torch.no_grad()
    def stand_on(self, below: StackedRBM, h: Tensor) -> None:
        """Start as the layer below upside down; ``h`` (B, n_visible) are states from below."""
        strongest = below.weight.norm(dim=1).argsort(descending=True)[: len(self.b)]
        self.weight[:, : len(strongest)] = below.weight[strongest].t()
        self.b[: len(strongest)] = below.a[strongest]
        self.a.copy_(below.b)
        self.chain.copy_(h[torch.arange(len(self.chain)) % len(h)])
        self.mean.copy_(below.mean @ below.weight + below.b).sigmoid_()


class DBN(Model):
    """784-500-500 by default. Each layer's learning rate falls along half a cosine of its own.

    The layers share the training equally. Where ``layer_images`` asks for less, the images after
    layers * layer_images go to the top layer at a small rate. The loss is that of the layer in
    training: it jumps at a change.
    """

    family = "dbn"
    title = "Deep belief network"
    units: ClassVar[Mapping[str, str]] = {"reconstruction": "squared error per unit"}
    source = "Slides “Generative taxonomy”; Hinton, Osindero & Teh 2006"
    Config = DBNSettings
    config: DBNSettings
    defaults: ClassVar[dict[str, object]] = {"epochs": 20, "lr": 0.05}
    seen: Tensor

    def __init__(self, config: DBNSettings) -> None:
        super().__init__(config)
        if not config.n_hidden:
            raise ValueError("n_hidden must name at least one layer, got none")
        sizes = (config.pixels, *config.n_hidden)
        self.layers = nn.ModuleList(StackedRBM(n, m, config.chains) for n, m in pairwise(sizes))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))
        self.layer_images = config.layer_images or UNPLANNED

    def plan(self, images: int, epochs: int, steps: int) -> None:
        """Divide the training among the layers; raises ValueError below two steps for each."""
        layers = len(self.layers)
        if steps < 2 * layers:
            raise ValueError(
                f"A deep belief network of {layers} layers needs at least {2 * layers} training "
                f"steps, two per layer, and this training has {steps}; use more epochs or a "
                "smaller batch_size"
            )
        share = images * epochs // layers
        self.layer_images = min(self.config.layer_images or share, share)

    def stack(self) -> list[StackedRBM]:
        """The layers, bottom first."""
        return [cast(StackedRBM, layer) for layer in self.layers]

    def pairs(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """(W, a, b) of each layer, bottom first."""
        return [(layer.weight, layer.a, layer.b) for layer in self.stack()]

    def active(self) -> int:
        """Index of the layer in training."""
        return min(int(self.seen) // self.layer_images, len(self.layers) - 1)

    @torch.no_grad()
    def rise(self, v: Tensor, layers: int, rng: torch.Generator) -> Tensor:
        """Draw upward, h ~ q(h | layer below), through the lowest ``layers``: (B, n) -> (B, m)."""
        for layer in self.stack()[:layers]:
            v = binarize(layer.hidden_probabilities(v), rng)
        return v

    @torch.no_grad()
    def descend(self, h: Tensor, rng: torch.Generator) -> Tensor:
        """From states of the top pair's lower layer to pixels: (B, n) -> p(v|h1) (B, n_pixels)."""
        for i, layer in reversed(list(enumerate(self.stack()[:-1]))):
            h = layer.visible_probabilities(h)
            h = h if i == 0 else binarize(h, rng)
        return h

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator, steps: int = 200) -> Tensor:
        """Gibbs in the top pair from noise, then down: p(v|h1), (n, C, H, W)."""
        top = self.stack()[-1]
        start = torch.full((n, len(top.a)), 0.5, device=top.a.device)
        h = binarize(top.hidden_probabilities(top.gibbs(binarize(start, rng), steps, rng)), rng)
        h = top.visible_probabilities(h)
        if len(self.layers) > 1:
            h = self.descend(binarize(h, rng), rng)
        return h.view(n, *self.config.shape)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Mean-field up to the top and down again: (B, C, H, W) -> same."""
        v = x.flatten(1)
        for layer in self.stack():
            v = layer.hidden_probabilities(v)
        for layer in reversed(self.stack()):
            v = layer.visible_probabilities(v)
        return v.view_as(x)

    def kernels(self) -> Tensor:
        """First-layer weights as images, averaged over channels: (n_hidden, H, W)."""
        weight = self.stack()[0].weight.detach()
        return weight.t().reshape(-1, *self.config.shape).mean(1)

    def hidden(self, x: Tensor) -> Tensor:
        """q(h1 | v): (B, C, H, W) -> (B, n_hidden[0])."""
        return self.stack()[0].hidden_probabilities(x.flatten(1))

    def unnormalised(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Estimate log p(v) + log Z of the top pair, in nats: binary (B, C, H, W) -> (B,).

        log (1/K) sum_k p(v|h1) p*(h1) / q(h1|v), h1 ~ q(h1|v), K = 100. By Jensen's inequality its
        expectation is at most the truth: it bounds log p(v) from below.
        """
        v = x.flatten(1)
        drawn = torch.arange(DRAWS).split(max(1, ROWS // len(v)))
        log_w = [self._weight(v.repeat(len(k), 1), rng).view(-1, len(v)) for k in drawn]
        return torch.cat(log_w).logsumexp(0) - math.log(DRAWS)

    @torch.no_grad()
    def _weight(self, v: Tensor, rng: torch.Generator) -> Tensor:
        """One importance weight per image, in logs: (B, n_pixels) -> (B,)."""
        log_w = torch.zeros(len(v), device=v.device)
        for layer in self.stack()[:-1]:
            up = v @ layer.weight + layer.b
            h = binarize(up.sigmoid(), rng)
            down = h @ layer.weight.t() + layer.a
            log_w += log_bernoulli(v, down) - log_bernoulli(h, up)
            v = h
        return log_w - self.stack()[-1].free_energy(v)

    def anneal(self, chains: int, temperatures: int, rng: torch.Generator) -> Iterator[Tensor]:
        """Log importance weights of the top pair's Z so far, about 100 times: (chains,)."""
        return self.stack()[-1].anneal(chains, temperatures, rng)

    def optimizers(self, lr: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """Plain gradient steps with momentum; a layer out of training has no gradient."""
        momentum = self.config.momentum
        sgd = SGD(self.parameters(), lr, momentum, weight_decay=weight_decay)
        return {"sgd": sgd}

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Mean F(h) - mean F(h_k) of the layer in training, in nats, h drawn upward."""
        active = self.active()
        h = self.rise(binarize(x.flatten(1), rng), active, rng)
        c = self.config
        return self.stack()[active].contrast(h, c.k, c.persistent, rng, c.restart)

    def step(
        self,
        x: Tensor,
        y: Tensor,
        rng: torch.Generator,
        optimizers: dict[str, torch.optim.Optimizer],
        autocast: Autocast,
    ) -> dict[str, Tensor]:
        """One step of the layer in training at its own rate; starts the next when it is due."""
        active = self.active()
        share = int(self.seen) / self.layer_images - active
        fade = max(0.5 * (1 + math.cos(math.pi * min(share, 1.0))), 1e-3)
        rates = [(g, g["lr"]) for o in optimizers.values() for g in o.param_groups]
        for group, lr in rates:
            group["lr"] = lr * fade
        terms = super().step(x, y, rng, optimizers, autocast)
        for group, lr in rates:
            group["lr"] = lr
        self.seen += len(x)
        if self.active() > active + 1:  # a batch larger than a layer's share: none is left out
            self.seen.fill_((active + 1) * self.layer_images)
        if self.active() > active:
            h = self.rise(binarize(x.flatten(1), rng), self.active(), rng)
            self.stack()[self.active()].stand_on(self.stack()[active], h)
        return terms


def log_bernoulli(s: Tensor, logits: Tensor) -> Tensor:
    """log p(s) of independent binary units, in nats: (B, n), (B, n) -> (B,)."""
    return (s * logits - F.softplus(logits)).sum(1)
