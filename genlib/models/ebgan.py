"""Energy-based GAN: the cost network is an autoencoder, its energy the reconstruction error.

Sources: lecture text "Autoencoders to GANs"; Zhao, Mathieu & LeCun 2016, arXiv:1609.03126.

    C(y) = ||Dec(Enc(y)) - y||^2
    l_C  = C(y) + [m - C(G(z))]^+        push data down, samples up to the margin m
    l_G  = C(G(z)) + w m PT(Enc(G(z)))   the generator pulls its samples down, and apart

Energies are summed over pixels in the [0, 1] scale. The lecture text's l_G is C(G(z)) alone
(``pull_away`` w = 0): fully connected nets then soon give one image for all z. PT is the remedy of
Zhao et al., section 2.4: the mean squared cosine between the codes of two samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib import losses
from genlib.models.base import Autocast, Generator, ModelSettings
from genlib.models.layers import Affine, adam, dense
from genlib.settings import setting


@dataclass(frozen=True)
class EBGANSettings(ModelSettings):
    """Sizes and margin of an energy-based GAN."""

    latent_dim: int = setting(100, 1, 512, "Numbers in z ~ N(0, I).")
    hidden: tuple[int, ...] = setting((256, 512), 1, 4096, "Widths of the generator's layers.")
    cost_hidden: tuple[int, ...] = setting((256, 32), 1, 4096, "Widths of the judge's Enc.")
    margin: float = setting(20.0, 0.0, 1000.0, "Energy m that samples are pushed up to.")
    pull_away: float = setting(
        0.1,
        0.0,
        10.0,
        "Weight, in margins, of the term that keeps samples apart; 0 is the lecture text's loss.",
    )


def hinge(real: Tensor, fake: Tensor, margin: float) -> Tensor:
    """l_C = C(y) + [m - C(G(z))]^+, batch mean, from energies (B,) each."""
    return real.mean() + (margin - fake).relu().mean()


def pulling_away(code: Tensor) -> Tensor:
    """Mean squared cosine between the codes (B, d) of different samples, in [0, 1]: 1 = all alike.

    Zhao et al. 2016, equation 4. Needs B >= 2.
    """
    direction = F.normalize(code.float(), dim=1)
    alike = (direction @ direction.t()).square()
    n = len(code)
    return (alike.sum() - n) / max(n * (n - 1), 1)


class EBGAN(Generator):
    """Energy: C(y), squared error summed over pixels in the [0, 1] scale."""

    family = "ebgan"
    title = "Energy-based GAN"
    units: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("loss", "g_loss", "c_x", "c_gz"), "squared error per image"
    )
    source = "Lecture text “Autoencoders to GANs”; Zhao et al. 2016"
    Config = EBGANSettings
    config: EBGANSettings
    defaults: ClassVar[dict[str, object]] = {"epochs": 25, "lr": 2e-4}

    def __init__(self, config: EBGANSettings) -> None:
        super().__init__(config)
        self.latent_dim = config.latent_dim
        up = [config.latent_dim, *config.hidden, config.pixels]
        self.generator = nn.Sequential(
            *dense(up, lambda h: [nn.BatchNorm1d(h), nn.LeakyReLU(0.2)]),
            nn.Tanh(),
            Affine(0.5, 0.5),
            nn.Unflatten(1, config.shape),
        )
        narrower = [config.pixels, *config.cost_hidden]
        self.cost = nn.Sequential(
            nn.Flatten(),
            *dense(narrower + narrower[-2::-1], lambda _: [nn.ReLU()]),
            nn.Sigmoid(),
            nn.Unflatten(1, config.shape),
        )
        self.code_layers = 2 * len(config.cost_hidden)  # of ``cost``, up to the narrowest, no ReLU

    def energy(self, x: Tensor) -> Tensor:
        """C(x) = ||Dec(Enc(x)) - x||^2, summed over pixels: (B,)."""
        return losses.squared_error(self.rebuild(x), x)

    def rebuild(self, x: Tensor) -> Tensor:
        """Dec(Enc(x)), what the cost network makes of an image: (B, C, H, W) -> same."""
        return self.cost(x).float()

    def margin(self) -> float:
        """The energy m that samples are pushed up to, summed over pixels."""
        return self.config.margin

    def optimizers(self, lr: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """One Adam each, beta_1 = 0.5."""
        return {
            "generator": adam(self.generator.parameters(), lr, weight_decay, (0.5, 0.999)),
            "cost": adam(self.cost.parameters(), lr, weight_decay, (0.5, 0.999)),
        }

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """l_C ("loss"), l_G and the mean energies, without a step."""
        real, fake = self.energy(x), self.energy(self.sample(len(x), rng))
        loss = hinge(real, fake, self.config.margin)
        means = {"loss": loss, "g_loss": fake.mean(), "c_x": real.mean(), "c_gz": fake.mean()}
        return means

    def step(
        self,
        x: Tensor,
        y: Tensor,
        rng: torch.Generator,
        optimizers: dict[str, torch.optim.Optimizer],
        autocast: Autocast,
    ) -> dict[str, Tensor]:
        """One step of the cost network, then one of the generator with the cost frozen."""
        with autocast():
            fake_x = self.sample(len(x), rng)
        optimizers["cost"].zero_grad(set_to_none=True)
        with autocast():
            real, fake = self.energy(x), self.energy(fake_x.detach().float())
        loss = hinge(real, fake, self.config.margin)
        loss.backward()
        optimizers["cost"].step()
        self.cost.requires_grad_(False)
        optimizers["generator"].zero_grad(set_to_none=True)
        with autocast():
            pulled = self.energy(fake_x.float()).mean()
            apart = pulling_away(self.cost[: self.code_layers](fake_x))
        g_loss = pulled + self.config.pull_away * self.config.margin * apart
        g_loss.backward()
        optimizers["generator"].step()
        self.cost.requires_grad_(True)
        means = {"loss": loss, "g_loss": pulled, "c_x": real.mean(), "c_gz": fake.mean()}
        means["alike"] = apart
        return {name: value.detach() for name, value in means.items()}
