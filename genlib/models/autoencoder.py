"""Autoencoder: x -> z -> x_hat through fully connected layers.

Sources: lecture text "Autoencoders to GANs" (784-30-784, tanh, pixels in [-1, 1], MSE; the
over-complete 784-500-784), the slides "Autoencoder: latent space" (784-500-300-2, tanh, linear
output, digits 1, 5, 6) and the article on autoencoders, VAEs and GANs (one ReLU layer, ReLU
latents of 2, 10 or 100 numbers, sigmoid output). All are settings of this one family:

    pixels -> hidden[0] -> hidden[1] ... -> latent_dim -> ... hidden[1] -> hidden[0] -> pixels
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib import losses
from genlib.models.base import Model, ModelSettings, draw_normal
from genlib.models.layers import ACTIVATIONS, Affine, Clamp, dense
from genlib.settings import setting


@dataclass(frozen=True)
class AutoencoderSettings(ModelSettings):
    """Sizes and nonlinearities of an autoencoder."""

    latent_dim: int = setting(30, 1, 2048, "Numbers in the code z.")
    hidden: tuple[int, ...] = setting(
        (),
        1,
        4096,
        "Widths of the layers between pixels and code, such as 500, 300; may be empty.",
    )
    activation: str = setting(
        "tanh", choices=("tanh", "relu"), help="Nonlinearity of the hidden layers."
    )
    latent_activation: str = setting(
        "tanh",
        choices=("tanh", "relu", "linear"),
        help="Nonlinearity of the code itself.",
    )
    output: str = setting(
        "tanh",
        choices=("tanh", "sigmoid", "linear"),
        help="Last nonlinearity. tanh works on pixels in [-1, 1], the others on [0, 1].",
    )
    init_std: float = setting(
        0.0,
        0.0,
        1.0,
        "Initial weights ~ N(0, std); the slides use 0.1. 0 keeps PyTorch's default.",
    )


class Autoencoder(Model):
    """784-30-784 by default. Energy: squared error summed over pixels in the [0, 1] scale."""

    family = "autoencoder"
    title = "Autoencoder"
    units: ClassVar[Mapping[str, str]] = {"loss": "squared error per pixel"}
    source = "Lecture text “Autoencoders to GANs”; slides “Autoencoder: latent space”"
    Config = AutoencoderSettings
    config: AutoencoderSettings

    def __init__(self, config: AutoencoderSettings) -> None:
        super().__init__(config)
        self.latent_dim = config.latent_dim
        # Internally pixels live in [-1, 1] for tanh outputs and in [0, 1] otherwise.
        self.signed = config.output == "tanh"
        widths = [config.pixels, *config.hidden, config.latent_dim]
        act, code, out = (
            ACTIVATIONS[name]
            for name in (config.activation, config.latent_activation, config.output)
        )
        self.encoder = nn.Sequential(*dense(widths, lambda _: [act()]), code())
        self.decoder = nn.Sequential(*dense(widths[::-1], lambda _: [act()]), out())
        if config.init_std > 0:
            self._normal_init(config.init_std)

    def _normal_init(self, std: float) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                draw_normal(module.weight, 0.0, std)
                draw_normal(module.bias, 0.0, 1.0)  # as the slides do

    def scale(self, x: Tensor) -> Tensor:
        """Pixels in [0, 1], any shape -> flat pixels in the range that the net works in."""
        flat = x.flatten(1)
        return flat * 2 - 1 if self.signed else flat

    def encode(self, x: Tensor) -> Tensor:
        """The code z: (B, C, H, W) in [0, 1] -> (B, latent_dim)."""
        return self.encoder(self.scale(x))

    def embed(self, x: Tensor) -> Tensor:
        """Same as ``encode``: a plain autoencoder's code is already deterministic."""
        return self.encode(x)

    def decoder_layers(self) -> nn.Sequential:
        """Decoder from z to (C, H, W) pixels in [0, 1]."""
        to_pixels = Affine(0.5, 0.5) if self.signed else Clamp(0.0, 1.0)
        return nn.Sequential(*self.decoder, to_pixels, nn.Unflatten(1, self.config.shape))

    def decode(self, z: Tensor) -> Tensor:
        """(B, latent_dim) -> (B, C, H, W) in [0, 1]."""
        return self.decoder_layers()(z)

    def reconstruct(self, x: Tensor) -> Tensor:
        """decode(encode(x)): (B, C, H, W) -> (B, C, H, W) in [0, 1]."""
        return self.decode(self.encode(x))

    def energy(self, x: Tensor) -> Tensor:
        """||decode(encode(x)) - x||^2, summed over pixels in the [0, 1] scale: (B,)."""
        return losses.squared_error(self.reconstruct(x), x)

    def kernels(self) -> Tensor:
        """Rows of the first weight matrix as images, averaged over channels: (n, H, W)."""
        weight = cast(nn.Linear, self.encoder[0]).weight.detach()
        return weight.view(-1, *self.config.shape).mean(1)

    def hidden(self, x: Tensor) -> Tensor:
        """Activations of the first layer: (B, C, H, W) -> (B, n)."""
        return self.encoder[:2](self.scale(x))

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Mean squared error over pixels and batch, in the scale that the net works in."""
        target = self.scale(x)
        return {"loss": F.mse_loss(self.decoder(self.encoder(target)), target)}
