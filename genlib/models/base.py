"""What every model is.

A **family** is one class: declaring it registers it in ``FAMILIES``. What it can do is seen through
the Protocols of ``genlib.models.capabilities``.
Images are float32 (B, C, H, W) in [0, 1] at every public method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from genlib.models.layers import adam, standard_normal
from genlib.settings import Settings, setting

DECODED_AT_ONCE = 100  # samples: more take hundreds of MB between wide layers, and no less time
FAMILIES: dict[str, type[Model]] = {}
Autocast = Callable[[], AbstractContextManager[object]]  # the number format of a step


@dataclass(frozen=True)
class ModelSettings(Settings):
    """Settings that every family has; they follow from the dataset."""

    channels: int = setting(1, 1, 4, "Colour channels of the images: 1 grey, 3 colour.")
    image_size: int = setting(28, 2, 256, "Height and width of the images in pixels.")

    @property
    def pixels(self) -> int:
        """Numbers in one image: C * H * W."""
        return self.channels * self.image_size**2

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return (self.channels, self.image_size, self.image_size)


class Model(nn.Module):
    """A generative model or classifier with its settings and its training loss."""

    family: ClassVar[str] = ""
    title: ClassVar[str] = ""
    source: ClassVar[str] = ""
    Config: ClassVar[type[ModelSettings]] = ModelSettings
    defaults: ClassVar[dict[str, object]] = {}  # train settings that suit this family
    units: ClassVar[Mapping[str, str]] = {}  # of the terms of ``losses`` that aren't in nats

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if cls.family:
            FAMILIES[cls.family] = cls

    def __init__(self, config: ModelSettings) -> None:
        super().__init__()
        self.config = config

    @classmethod
    def unit(cls, term: str, config: Mapping[str, object]) -> str:
        """The unit of a term of ``losses`` under these settings, of which some may be missing."""
        return cls.units.get(term, "nats")

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """The training losses of a batch: (B, C, H, W), (B,) -> scalars; "loss" is minimised."""
        raise NotImplementedError

    def plan(self, images: int, epochs: int, steps: int) -> None:
        """Learn, before training, that each of ``epochs`` shows ``images``, in ``steps`` in total.

        A family trained in stages divides them here. Raises ValueError where they are too few.
        """

    def optimizers(self, lr: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """The optimizers by name; a GAN has two."""
        return {"adam": adam(self.parameters(), lr, weight_decay)}

    def step(
        self,
        x: Tensor,
        y: Tensor,
        rng: torch.Generator,
        optimizers: dict[str, torch.optim.Optimizer],
        autocast: Autocast,
    ) -> dict[str, Tensor]:
        """One step of the only optimizer on a batch; returns the detached losses."""
        (optimizer,) = optimizers.values()
        optimizer.zero_grad(set_to_none=True)
        with autocast():
            terms = self.losses(x, y, rng)
        terms["loss"].backward()
        optimizer.step()
        return {name: value.detach() for name, value in terms.items()}


def draw_normal(weight: Tensor, mean: float, std: float) -> None:
    """Fill with N(mean, std), in place. Weights without memory, of which only the shapes are
    wanted, are left alone: torch would first import its compiler, seconds and 100 MB."""
    if not weight.is_meta:
        nn.init.normal_(weight, mean, std)


class Generator(Model):
    """A generator G that turns z ~ N(0, I) into an image; subclasses build it and say its loss.

    ``generator``: z -> (C, H, W) pixels in [0, 1].
    """

    latent_dim: int
    generator: nn.Sequential

    def decode(self, z: Tensor) -> Tensor:
        """G(z) in [0, 1]: (B, latent_dim) -> (B, C, H, W)."""
        return self.generator(z)

    def decoder_layers(self) -> nn.Sequential:
        """The generator's layers."""
        return self.generator

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """G(z), z ~ N(0, I): (n, C, H, W) in [0, 1]."""
        z = standard_normal((n, self.latent_dim), rng, next(self.parameters()))
        if self.training:  # batch norm must see the whole batch
            return self.decode(z)
        return torch.cat([self.decode(part) for part in z.split(DECODED_AT_ONCE)])


def small_random(*shape: int) -> Tensor:
    """Normal numbers of standard deviation 0.01; left empty on the meta device.

    There, drawing them makes torch import its compiler: 150 MB and seconds, for nothing.
    """
    numbers = torch.empty(shape)
    return numbers if numbers.is_meta else numbers.normal_().mul_(0.01)
