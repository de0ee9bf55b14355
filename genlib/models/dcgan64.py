"""DCGAN of transposed convolutions for pictures of 16 to 64 pixels, colour or grey.

Sources: lecture text "Autoencoders to GANs" (nz = 100, ngf = ndf = 64, 64x64); overview text
"Generative models"; Radford, Metz & Chintala 2015, arXiv:1511.06434. At 64 pixels::

    G   z (nz, 1, 1) -> (8 ngf, 4, 4) -> (4 ngf, 8, 8) -> (2 ngf, 16, 16) -> (ngf, 32, 32) -> image
    D   the same way back, convolutions of stride 2, one logit

The same for other sides that can be halved at least twice down to 4 ... 7 pixels: 32 starts from
(4 ngf, 4, 4), MNIST's 28 from (2 ngf, 7, 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from genlib.models.base import draw_normal
from genlib.models.gan import GAN, GANSettings
from genlib.models.layers import Affine
from genlib.settings import setting


@dataclass(frozen=True)
class DCGAN64Settings(GANSettings):
    """Widths of both networks."""

    ngf: int = setting(64, 4, 128, "Channels of G's last hidden layer; 64 in the lecture text.")
    ndf: int = setting(64, 4, 128, "Channels of D's first layer; 64 in the lecture text.")


class DCGAN64(GAN):
    """The lecture texts' DCGAN: transposed convolutions all the way. Energy: -log D(x)."""

    family = "dcgan_64"
    title = "DCGAN 64×64"
    source = "Lecture text “Autoencoders to GANs”; Radford et al. 2015"
    Config = DCGAN64Settings
    config: DCGAN64Settings
    defaults: ClassVar[dict[str, object]] = {"epochs": 25, "lr": 2e-4, "batch_size": 64}

    def __init__(self, config: DCGAN64Settings) -> None:
        super().__init__(config)
        base, doublings = config.image_size, 0
        while base >= 8 and base % 2 == 0:
            base, doublings = base // 2, doublings + 1
        if not 4 <= base < 8 or doublings < 2 or config.image_size > 64:
            raise ValueError(
                "image_size must be 4, 5, 6 or 7 times 4, 8 or 16 and at most 64, such as 28, 32 "
                f"or 64, got {config.image_size}"
            )
        self.latent_dim = config.latent_dim
        self.generator = _generator(config, base, doublings)
        self.discriminator = _discriminator(config, base, doublings)
        self.apply(_initialise)
        self._keep_average()


def _generator(config: DCGAN64Settings, base: int, doublings: int) -> nn.Sequential:
    width = config.ngf * 2 ** (doublings - 1)
    layers: list[nn.Module] = [
        nn.Unflatten(1, (config.latent_dim, 1, 1)),
        nn.ConvTranspose2d(config.latent_dim, width, base, 1, 0, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    ]
    for _ in range(doublings - 1):
        layers += [
            nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
        ]
        width //= 2
    last = nn.ConvTranspose2d(width, config.channels, 4, 2, 1, bias=False)
    return nn.Sequential(*layers, last, nn.Tanh(), Affine(0.5, 0.5))


def _discriminator(config: DCGAN64Settings, base: int, doublings: int) -> nn.Sequential:
    width = config.ndf
    layers: list[nn.Module] = [
        nn.Conv2d(config.channels, width, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2),
    ]
    for _ in range(doublings - 1):
        layers += [
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
        ]
        width *= 2
    return nn.Sequential(*layers, nn.Conv2d(width, 1, base, 1, 0, bias=False), nn.Flatten())


def _initialise(layer: nn.Module) -> None:
    """Weights of both texts: convolutions N(0, 0.02), batch norm's scales N(1, 0.02)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        draw_normal(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        draw_normal(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)
