"""Variational autoencoder, fully connected and convolutional.

Sources: lecture text "Autoencoders to GANs" (784-400-20, log-variance, BCE + KL), the article
(MSE variant, latent 2), the overview text (convolutions with 16 and 32 channels, stride 2, 20
latents); Kingma & Welling 2013, arXiv:1312.6114.

    loss = E_q(z|x)[-log p(x|z)] + beta * KL(q(z|x) || N(0, I)),   summed over pixels, batch mean
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from genlib import losses
from genlib.models.base import Model, ModelSettings
from genlib.models.layers import Gaussian, dense, standard_normal
from genlib.settings import setting


@dataclass(frozen=True)
class VAESettings(ModelSettings):
    """Sizes and loss of a fully connected VAE."""

    latent_dim: int = setting(20, 1, 512, "Numbers in the code z.")
    hidden: tuple[int, ...] = setting((400,), 1, 4096, "Widths of the hidden ReLU layers.")
    beta: float = setting(1.0, 0.0, 100.0, "Weight of the KL term; 1 gives the ELBO.")
    likelihood: str = setting(
        "bce",
        choices=("bce", "mse"),
        help="bce: Bernoulli cross-entropy of pixels; mse: squared error summed over pixels.",
    )


@dataclass(frozen=True)
class ConvVAESettings(ModelSettings):
    """Sizes and loss of a convolutional VAE."""

    latent_dim: int = setting(20, 1, 512, "Numbers in the code z.")
    width: int = setting(
        16, 1, 256, "Channels of the first convolution; the second has twice as many."
    )
    beta: float = setting(1.0, 0.0, 100.0, "Weight of the KL term; 1 gives the ELBO.")
    likelihood: str = setting(
        "bce",
        choices=("bce", "mse"),
        help="bce: Bernoulli cross-entropy of pixels; mse: squared error summed over pixels.",
    )


class _GaussianLatents(Model):
    """What both VAEs share: everything but the layers.

    Subclasses set ``config``, ``latent_dim``, ``encoder`` (image -> 2 * latent_dim numbers) and
    ``decoder`` (z -> (C, H, W) pixels, last layer a sigmoid).
    """

    config: VAESettings | ConvVAESettings
    latent_dim: int

    @classmethod
    def unit(cls, term: str, config: Mapping[str, object]) -> str:
        """Nats, unless pixels are compared by squared error, which then is most of the loss."""
        squared = config.get("likelihood", "bce") != "bce" and term != "kl"
        return "squared error per image" if squared else "nats"

    encoder: nn.Sequential
    decoder: nn.Sequential

    def encode(self, x: Tensor) -> Gaussian:
        """Parameters of q(z|x): (B, C, H, W) -> mu, logvar, each (B, latent_dim)."""
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return Gaussian(mu, logvar)

    def embed(self, x: Tensor) -> Tensor:
        """mu of q(z|x): (B, latent_dim)."""
        return self.encode(x).mu

    def decode_logits(self, z: Tensor) -> Tensor:
        """Bernoulli logits of p(x|z): (B, latent_dim) -> (B, C, H, W)."""
        return self.decoder[:-1](z)

    def decode(self, z: Tensor) -> Tensor:
        """Mean of p(x|z), in [0, 1]: (B, latent_dim) -> (B, C, H, W)."""
        return self.decoder(z)

    def decoder_layers(self) -> nn.Sequential:
        """Decoder from z to (C, H, W) pixels in [0, 1]."""
        return self.decoder

    def reconstruct(self, x: Tensor) -> Tensor:
        """decode(mu): deterministic. (B, C, H, W) -> (B, C, H, W) in [0, 1]."""
        return self.decode(self.embed(x))

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """Means of p(x|z) for z ~ N(0, I): (n, C, H, W) in [0, 1]."""
        like = next(self.parameters())
        return self.decode(standard_normal((n, self.latent_dim), rng, like))

    def energy(self, x: Tensor) -> Tensor:
        """-ELBO in nats with one z ~ q(z|x), the same noise for every image: (B,).

        Sampled, since the value at z = mu is several nats too good and bounds nothing; with the
        same noise the same image has the same energy, alone or in a batch.
        """
        q = self.encode(x)
        rng = torch.Generator().manual_seed(0)
        noise = standard_normal((1, self.latent_dim), rng, q.mu)
        z = q.mu + noise * (0.5 * q.logvar).exp()
        kl = losses.kl_standard_normal(*q).sum(1)
        return losses.bernoulli_nll(self.decode_logits(z), x) + kl

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """reconstruction + beta * kl, summed over pixels and dimensions, batch mean."""
        q = self.encode(x)
        logits = self.decode_logits(q.sample(rng))
        if self.config.likelihood == "bce":
            reconstruction = losses.bernoulli_nll(logits.float(), x).mean()
        else:
            reconstruction = losses.squared_error(logits.float().sigmoid(), x).mean()
        kl = losses.kl_standard_normal(*q).sum(1).mean()
        return {
            "loss": reconstruction + self.config.beta * kl,
            "reconstruction": reconstruction.detach(),
            "kl": kl.detach(),
        }


class VAE(_GaussianLatents):
    """784-400-20 by default. Energy: -ELBO in nats."""

    family = "vae"
    title = "Variational autoencoder"
    source = "Lecture text “Autoencoders to GANs”; Kingma & Welling 2013"
    Config = VAESettings
    config: VAESettings

    def __init__(self, config: VAESettings) -> None:
        super().__init__(config)
        self.latent_dim = config.latent_dim
        down = [config.pixels, *config.hidden, 2 * config.latent_dim]
        up = [config.latent_dim, *reversed(config.hidden), config.pixels]
        self.encoder = nn.Sequential(nn.Flatten(), *dense(down, lambda _: [nn.ReLU()]))
        self.decoder = nn.Sequential(
            *dense(up, lambda _: [nn.ReLU()]), nn.Unflatten(1, config.shape), nn.Sigmoid()
        )

    def kernels(self) -> Tensor:
        """Rows of the first weight matrix as images, averaged over channels: (n, H, W)."""
        weight = cast(nn.Linear, self.encoder[1]).weight.detach()
        return weight.view(-1, *self.config.shape).mean(1)

    def hidden(self, x: Tensor) -> Tensor:
        """Activations of the first layer: (B, C, H, W) -> (B, n)."""
        return self.encoder[:3](x)


class ConvVAE(_GaussianLatents):
    """Convolutions 1-16-32 with stride 2, 20 latents, transposed back. Energy: -ELBO in nats.

    28x28 -> 14x14x16 -> 7x7x32 -> mu, logvar;   z -> 7x7x32 -> 14x14x16 -> 28x28
    """

    family = "conv_vae"
    title = "Convolutional VAE"
    source = "Overview text “Generative models”; Kingma & Welling 2013"
    Config = ConvVAESettings
    config: ConvVAESettings

    def __init__(self, config: ConvVAESettings) -> None:
        super().__init__(config)
        if config.image_size % 4:
            raise ValueError(f"image_size must be a multiple of 4, got {config.image_size}")
        self.latent_dim = config.latent_dim
        c, w, s = config.channels, config.width, config.image_size // 4
        self.encoder = nn.Sequential(
            nn.Conv2d(c, w, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(w, 2 * w, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * w * s * s, 2 * config.latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(config.latent_dim, 2 * w * s * s),
            nn.Unflatten(1, (2 * w, s, s)),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * w, w, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(w, c, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )
