"""Generative adversarial networks: a generator G against a discriminator D.

Sources: Goodfellow et al. 2014, arXiv:1406.2661; lecture text "Autoencoders to GANs" (BCE, two Adam
optimizers); the article (DCGAN at 28x28: dense 128*7*7, two upsamplings, dropout 0.25).

    D maximises log D(x) + log(1 - D(G(z)));   G maximises log D(G(z)) (non-saturating)
                                               or minimises log(1 - D(G(z))) (minimax)

D gives logits; all losses are cross-entropies of logits in nats. Two settings improve samples:

    average       a moving average of G's weights draws them (Karras et al. 2017, arXiv:1710.10196)
    diff_augment  D sees real and generated images through the same random changes (Zhao et al.
                  2020, arXiv:2006.10738), so that it can't memorise a small dataset; G's gradient
                  passes through the change, so G still learns the images as they are

The changes have one amount per image, drawn from ``rng``::

    colour       brightness by up to 0.5, saturation times 0 to 2, contrast times 0.5 to 1.5
    translation  by up to an eighth of the side each way; what comes in is black
    cutout       a square of half the side is black; it may reach over the edge
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib.models.base import Autocast, Generator, ModelSettings
from genlib.models.layers import Affine, adam, dense
from genlib.settings import setting


def non_saturating(fake: Tensor) -> Tensor:
    """-log D(G(z)), batch mean, from logits (B,)."""
    return F.softplus(-fake).mean()


def minimax(fake: Tensor) -> Tensor:
    """log(1 - D(G(z))), batch mean, from logits (B,): vanishing gradient while D wins."""
    return -F.softplus(fake).mean()


GENERATOR_LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "non_saturating": non_saturating,
    "minimax": minimax,
}


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))), batch mean, from logits (B,); 2 log 2 when D knows nothing."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def diff_augment(x: Tensor, policy: str, rng: torch.Generator) -> Tensor:
    """Change each image at random: (B, C, H, W) in [0, 1] -> same shape.

    ``policy`` is one of POLICIES. Colour may leave [0, 1].
    """
    for change in POLICIES[policy]:
        x = change(x, rng)
    return x


def colour(x: Tensor, rng: torch.Generator) -> Tensor:
    """Change brightness, saturation and contrast of each image: (B, C, H, W) -> same."""
    brightness, saturation, contrast = _uniform(3, x, rng)
    x = x + (brightness - 0.5)
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * (saturation * 2) + grey
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * (contrast + 0.5) + mean


def translation(x: Tensor, rng: torch.Generator) -> Tensor:
    """Move each image by whole pixels: (B, C, H, W) -> same."""
    n, channels, height, width = x.shape
    reach = max(1, height // 8)
    moves = torch.randint(0, 2 * reach + 1, (2, n), generator=rng, device=rng.device).to(x.device)
    rows = moves[0][:, None] + torch.arange(height, device=x.device)
    columns = moves[1][:, None] + torch.arange(width, device=x.device)
    image = torch.arange(n, device=x.device)[:, None, None, None]
    channel = torch.arange(channels, device=x.device)[None, :, None, None]
    wide = F.pad(x, (reach,) * 4)
    return wide[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def cutout(x: Tensor, rng: torch.Generator) -> Tensor:
    """Black out a square of each image: (B, C, H, W) -> same."""
    n, _, height, width = x.shape
    centre = torch.rand(2, n, 1, generator=rng, device=rng.device).to(x.device)
    rows = (torch.arange(height, device=x.device) - centre[0] * height).abs() < height / 4
    columns = (torch.arange(width, device=x.device) - centre[1] * width).abs() < width / 4
    hidden = rows[:, None, :, None] & columns[:, None, None, :]
    return x.masked_fill(hidden, 0.0)


def _uniform(count: int, x: Tensor, rng: torch.Generator) -> Tensor:
    """Numbers in [0, 1), one per image: (count, B, 1, 1, 1)."""
    return torch.rand(count, len(x), 1, 1, 1, generator=rng, device=rng.device).to(x)


POLICIES: dict[str, tuple[Callable[[Tensor, torch.Generator], Tensor], ...]] = {
    "none": (),
    "translation": (translation,),
    "translation_cutout": (translation, cutout),
    "colour_translation": (colour, translation),
    "colour_translation_cutout": (colour, translation, cutout),
}


@dataclass(frozen=True)
class GANSettings(ModelSettings):
    """What all GANs share."""

    latent_dim: int = setting(100, 1, 512, "Numbers in z ~ N(0, I).")
    generator_loss: str = setting(
        "non_saturating", choices=tuple(GENERATOR_LOSSES), help="What G minimises."
    )
    d_steps: int = setting(
        1, 1, 10, "Steps of D for each one of G, on the same real images with fresh samples."
    )
    average: float = setting(
        0.0,
        0.0,
        0.9999,
        "Decay per step of the moving average of G's weights that draws the samples; 0 uses G "
        "itself.",
    )
    diff_augment: str = setting(
        "none",
        choices=tuple(POLICIES),
        help="Random changes applied to real and generated images before D sees them.",
    )


class GAN(Generator):
    """G and D with their alternating steps; subclasses build the layers.

    ``discriminator``: pixels in [-1, 1] -> (B, 1). ``averaged``: the moving average of G, where
    ``average`` > 0; it draws in evaluation mode, while G itself draws in training mode.
    """

    config: GANSettings
    discriminator: nn.Sequential
    averaged: nn.Sequential | None
    steps_averaged: Tensor
    defaults: ClassVar[dict[str, object]] = {"epochs": 25, "lr": 2e-4, "batch_size": 128}
    units: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("d_x", "d_gz"), "probability"),
        "d_accuracy": "share of images",
    }

    def __init__(self, config: GANSettings) -> None:
        super().__init__(config)
        self.averaged = None

    def _keep_average(self) -> None:
        """Begin the average at G's first weights; subclasses call it once G is complete."""
        if self.config.average > 0:
            self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
            self.register_buffer("steps_averaged", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def _move_average(self) -> None:
        """average <- decay * average + (1 - decay) * G; a short memory at first, then ``average``.

        Running statistics of batch norm are averaged as the weights are.
        """
        if self.averaged is None:
            return
        self.steps_averaged += 1
        n = self.steps_averaged
        share = 1 - ((1 + n) / (10 + n)).clamp(max=self.config.average)
        now = self.generator.state_dict()
        for name, kept in self.averaged.state_dict().items():
            if kept.is_floating_point():
                kept.lerp_(now[name], share.to(kept))
            else:
                kept.copy_(now[name])  # batch norm's count of batches

    def without_average(self) -> Self:
        """A copy to train further that shows G itself, which begins where the average is."""
        plain = copy.deepcopy(self)
        if self.averaged is not None:
            plain.generator.load_state_dict(self.averaged.state_dict())
            plain.averaged = None
        return plain

    def decode(self, z: Tensor) -> Tensor:
        """G(z) in [0, 1]: (B, latent_dim) -> (B, C, H, W); by the average outside training."""
        return self.decoder_layers()(z)

    def decoder_layers(self) -> nn.Sequential:
        """The layers that draw: the average's outside training, where there is one."""
        return self.generator if self.training or self.averaged is None else self.averaged

    def verdict(self, x: Tensor) -> Tensor:
        """Logit of D(x), positive for "real": (B, C, H, W) in [0, 1] -> (B,)."""
        return self.discriminator(x * 2 - 1).flatten()

    def energy(self, x: Tensor) -> Tensor:
        """-log D(x) in nats: (B,)."""
        return F.softplus(-self.verdict(x))

    def _judge(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """The verdict in training, on the image changed at random: (B, C, H, W) -> (B,)."""
        return self.verdict(diff_augment(x, self.config.diff_augment, rng)).float()

    def optimizers(self, lr: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """One Adam each, beta_1 = 0.5 (Radford et al. 2015, arXiv:1511.06434)."""
        return {
            "generator": adam(self.generator.parameters(), lr, weight_decay, (0.5, 0.999)),
            "discriminator": adam(self.discriminator.parameters(), lr, weight_decay, (0.5, 0.999)),
        }

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Both losses and what D says, without a step; "loss" is D's."""
        fake_x = self.sample(len(x), rng)
        real, fake = self.verdict(x), self.verdict(fake_x)
        g_loss = GENERATOR_LOSSES[self.config.generator_loss](fake)
        return {"loss": discriminator_loss(real, fake), "g_loss": g_loss, **self._seen(real, fake)}

    def _seen(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        right = (real > 0).float().mean() + (fake < 0).float().mean()
        seen = {
            "d_x": real.sigmoid().mean(),
            "d_gz": fake.sigmoid().mean(),
            "d_accuracy": right / 2,
        }
        return {name: value.detach() for name, value in seen.items()}

    def step(
        self,
        x: Tensor,
        y: Tensor,
        rng: torch.Generator,
        optimizers: dict[str, torch.optim.Optimizer],
        autocast: Autocast,
    ) -> dict[str, Tensor]:
        """``d_steps`` steps of D, then one of G.

        All steps of D see the same real images x, each with fresh samples; Goodfellow's algorithm
        draws a new minibatch for each. G's step uses the samples of D's last step, as the lecture's
        loop does: one pass of G less.
        """
        for i in range(self.config.d_steps):
            with torch.set_grad_enabled(i == self.config.d_steps - 1), autocast():
                fake_x = self.sample(len(x), rng)
            seen = self.step_d(x, fake_x, rng, optimizers, autocast)
        return {**seen, **self.step_g(fake_x, rng, optimizers, autocast)}

    def step_d(
        self,
        x: Tensor,
        fake_x: Tensor,
        rng: torch.Generator,
        optimizers: dict[str, torch.optim.Optimizer],
        autocast: Autocast,
    ) -> dict[str, Tensor]:
        """One step of D on images and samples, (B, C, H, W) each; G gets no gradient."""
        optimizers["discriminator"].zero_grad(set_to_none=True)
        with autocast():
            real = self._judge(x, rng)
            fake = self._judge(fake_x.detach(), rng)
            loss = discriminator_loss(real, fake)
        loss.backward()
        optimizers["discriminator"].step()
        return {"loss": loss.detach(), **self._seen(real.detach(), fake.detach())}

    def step_g(
        self,
        fake_x: Tensor,
        rng: torch.Generator,
        optimizers: dict[str, torch.optim.Optimizer],
        autocast: Autocast,
    ) -> dict[str, Tensor]:
        """One step of G on its samples, drawn with gradient; D's weights need none."""
        self.discriminator.requires_grad_(False)
        optimizers["generator"].zero_grad(set_to_none=True)
        with autocast():
            loss = GENERATOR_LOSSES[self.config.generator_loss](self._judge(fake_x, rng))
        loss.backward()
        optimizers["generator"].step()
        self.discriminator.requires_grad_(True)
        self._move_average()
        return {"g_loss": loss.detach()}


@dataclass(frozen=True)
class MLPGANSettings(GANSettings):
    """Widths of a fully connected GAN."""

    hidden: tuple[int, ...] = setting(
        (256, 512), 1, 4096, "Widths of G's layers; D uses the same widths in reverse order."
    )


class MLPGAN(GAN):
    """100-256-512-784, leaky ReLU: small enough to train while one watches. Energy: -log D(x)."""

    family = "gan_mlp"
    title = "GAN"
    source = "Lecture text “Autoencoders to GANs”; Goodfellow et al. 2014"
    Config = MLPGANSettings
    config: MLPGANSettings

    def __init__(self, config: MLPGANSettings) -> None:
        super().__init__(config)
        self.latent_dim = config.latent_dim
        up = [config.latent_dim, *config.hidden, config.pixels]
        self.generator = nn.Sequential(
            *dense(up, lambda _: [nn.LeakyReLU(0.2)]),
            nn.Tanh(),
            Affine(0.5, 0.5),
            nn.Unflatten(1, config.shape),
        )
        down = [config.pixels, *reversed(config.hidden), 1]
        self.discriminator = nn.Sequential(
            nn.Flatten(), *dense(down, lambda _: [nn.LeakyReLU(0.2), nn.Dropout(0.3)])
        )
        self._keep_average()


@dataclass(frozen=True)
class DCGAN28Settings(GANSettings):
    """Width of the article's DCGAN."""

    width: int = setting(128, 8, 256, "Channels of the 7x7 grid; 128 in the article, 32 is quick.")
    dropout: float = setting(0.25, 0.0, 0.9, "Dropout in D.")


class DCGAN28(GAN):
    """The article's DCGAN for images whose side is a multiple of 4. Energy: -log D(x).

    z -> dense 128*7*7 -> up 14 -> conv 128 -> up 28 -> conv 64 -> conv C, tanh
    """

    family = "dcgan_28"
    title = "DCGAN 28×28"
    source = "Article “Autoencoder, VAE and GAN”; Radford et al. 2015"
    Config = DCGAN28Settings
    config: DCGAN28Settings

    def __init__(self, config: DCGAN28Settings) -> None:
        super().__init__(config)
        if config.image_size % 4:
            raise ValueError(f"image_size must be a multiple of 4, got {config.image_size}")
        self.latent_dim = config.latent_dim
        w, s, c = config.width, config.image_size // 4, config.channels
        self.generator = nn.Sequential(
            nn.Linear(config.latent_dim, w * s * s),
            nn.ReLU(),
            nn.Unflatten(1, (w, s, s)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(w, w, 3, padding=1),
            nn.BatchNorm2d(w, momentum=0.2),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(w, w // 2, 3, padding=1),
            nn.BatchNorm2d(w // 2, momentum=0.2),
            nn.ReLU(),
            nn.Conv2d(w // 2, c, 3, padding=1),
            nn.Tanh(),
            Affine(0.5, 0.5),
        )
        d, side = w // 4, -(-config.image_size // 8)
        layers: list[nn.Module] = [nn.Conv2d(c, d, 3, 2, 1), *self._leak()]
        for i, stride in enumerate((2, 2, 1)):
            n_in, n_out = d * 2**i, d * 2 ** (i + 1)
            layers += [nn.Conv2d(n_in, n_out, 3, stride, 1), nn.BatchNorm2d(n_out, momentum=0.2)]
            layers += self._leak()
        layers += [nn.Flatten(), nn.Linear(8 * d * side * side, 1)]
        self.discriminator = nn.Sequential(*layers)
        self._keep_average()

    def _leak(self) -> list[nn.Module]:
        return [nn.LeakyReLU(0.2), nn.Dropout(self.config.dropout)]
