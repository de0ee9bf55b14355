"""Denoising autoencoder: an autoencoder that sees a corrupted image and must give the clean one.

Source: lecture text "Autoencoders to GANs" (784-500-784, tanh, ``nn.Dropout`` as pixel noise);
Vincent et al. 2008, "Extracting and composing robust features with denoising autoencoders".

Simplified: ``nn.Dropout`` also multiplies the surviving pixels by 1 / (1 - p), which leaves the
pixel range and makes clean images foreign to the trained net. Here survivors keep their value;
dropped pixels become 0 on the net's [-1, 1] scale, that is mid-grey.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.layers import standard_normal
from genlib.settings import setting

Corruption = Callable[[Tensor, float, torch.Generator], tuple[Tensor, Tensor]]


def _uniform(shape: tuple[int, ...], rng: torch.Generator, like: Tensor) -> Tensor:
    return torch.rand(shape, generator=rng, device=rng.device).to(like.device)


def dropout(x: Tensor, strength: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Set each pixel to mid-grey (0 on [-1, 1]) with probability ``strength``."""
    mask = _uniform(tuple(x.shape), rng, x) < strength
    return torch.where(mask, torch.full_like(x, 0.5), x), mask


def gaussian(x: Tensor, strength: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Add N(0, strength^2) to each pixel, then clip to [0, 1]; every pixel counts as damaged."""
    noisy = x + strength * standard_normal(tuple(x.shape), rng, x)
    return noisy.clamp(0, 1), torch.ones_like(x, dtype=torch.bool)


def salt_pepper(x: Tensor, strength: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Set each pixel to white or black, evenly, with probability ``strength``."""
    u = _uniform(tuple(x.shape), rng, x)
    salted = torch.where(u < strength / 2, torch.ones_like(x), x)
    return torch.where((u >= strength / 2) & (u < strength), 0.0, salted), u < strength


def block(x: Tensor, strength: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Blank (black) one square per image that covers the share ``strength`` of its area."""
    b, _, h, w = x.shape
    side = max(1, min(round((strength * h * w) ** 0.5), h, w)) if strength > 0 else 0
    top = (_uniform((b, 1, 1, 1), rng, x) * (h - side + 1)).floor()
    left = (_uniform((b, 1, 1, 1), rng, x) * (w - side + 1)).floor()
    rows = torch.arange(h, device=x.device).view(1, 1, h, 1)
    cols = torch.arange(w, device=x.device).view(1, 1, 1, w)
    inside = (rows >= top) & (rows < top + side) & (cols >= left) & (cols < left + side)
    mask = inside.expand_as(x)
    return x.masked_fill(mask, 0.0), mask


CORRUPTIONS: dict[str, Corruption] = {
    "dropout": dropout,
    "gaussian": gaussian,
    "salt_pepper": salt_pepper,
    "block": block,
}


@dataclass(frozen=True)
class DenoisingSettings(AutoencoderSettings):
    """An autoencoder's settings and the noise it is trained against."""

    latent_dim: int = setting(500, 1, 2048, "Numbers in the code z.")
    corruption: str = setting(
        "dropout",
        choices=tuple(CORRUPTIONS),
        help="How the input is damaged in training.",
    )
    strength: float = setting(
        0.5,
        0.0,
        1.0,
        "Share of damaged pixels (dropout, salt and pepper, block) or noise's standard deviation.",
    )


class DenoisingAutoencoder(Autoencoder):
    """784-500-784, over-complete; the noise, not a bottleneck, keeps it from the identity.

    Energy: as the autoencoder's, of the image itself without added noise.
    """

    family = "denoising"
    title = "Denoising autoencoder"
    source = "Lecture text “Autoencoders to GANs”; Vincent et al. 2008"
    Config = DenoisingSettings
    config: DenoisingSettings

    def denoise(self, x_bad: Tensor) -> Tensor:
        """(B, C, H, W) corrupted, in [0, 1] -> clean guess (B, C, H, W) in [0, 1]."""
        return self.reconstruct(x_bad)

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Mean squared error between the output for the corrupted image and the *clean* image."""
        x_bad, _ = CORRUPTIONS[self.config.corruption](x, self.config.strength, rng)
        x_hat = self.decoder(self.encoder(self.scale(x_bad)))
        return {"loss": F.mse_loss(x_hat, self.scale(x))}
