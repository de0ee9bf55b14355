"""What each model says of an image: numbers where real digits can be ranked, and pictures.

A reading is one number per image. Readings of different models are in different units, so what is
compared is where an image stands among real digits: its strangeness, from 0 to 1.

Saliency: Simonyan, Vedaldi & Zisserman 2013, arXiv:1312.6034.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib.models.capabilities import (
    Annealed,
    Autoregressive,
    Bounds,
    Classifies,
    HasComponents,
    HasDensity,
    HasEnergy,
    HasFreeEnergy,
    HasLikelihood,
    Judges,
    Reconstructs,
    fulfilled,
)

Floats = NDArray[np.float64]


def black_and_white(x: Tensor) -> Tensor:
    """Pixels above one half are 1, others 0: what models of binary images are given."""
    return (x > 0.5).to(x)


def reconstruction_error(model: Reconstructs, x: Tensor) -> Tensor:
    """||x_hat - x||^2, summed over pixels: (B,)."""
    return (model.reconstruct(x) - x).square().flatten(1).sum(1)


def kl(model: Bounds, x: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, I)), in nats: (B,)."""
    q = model.encode(x)
    return 0.5 * (q.logvar.exp() - q.logvar - 1 + q.mu.square()).sum(1)


def own_energy(model: HasEnergy, x: Tensor) -> Tensor:
    """The model's energy, in its own unit: (B,)."""
    return model.energy(x)


def free_energy(model: HasFreeEnergy, x: Tensor) -> Tensor:
    """F(v) of the black and white image, in nats up to log Z: (B,)."""
    return model.free_energy(black_and_white(x).flatten(1))


def exact(model: HasLikelihood, x: Tensor) -> Tensor:
    """-log p of the black and white image, in nats: (B,)."""
    return -model.log_likelihood(black_and_white(x))


def unnormalised(model: Annealed, x: Tensor) -> Tensor:
    """-log p* (or its bound) of the black and white image, in nats up to log Z: (B,)."""
    return -model.unnormalised(black_and_white(x), torch.Generator().manual_seed(0))


def density(model: HasDensity, x: Tensor) -> Tensor:
    """-log p of the grey image, a density, in nats: (B,)."""
    return -model.log_density(x)


def believed_real(model: Judges, x: Tensor) -> Tensor:
    """D(x), from 0 (generated) to 1 (real): (B,)."""
    return model.verdict(x).sigmoid()


def confidence(model: Classifies, x: Tensor) -> Tensor:
    """Probability of the likeliest class: (B,)."""
    return model.logits(x).softmax(1).amax(1)


@dataclass(frozen=True)
class Reading:
    """One kind of number: who gives it, how, its unit, and which end is strange.

    A model gives it that is all of ``needs`` and none of ``unless``.
    """

    name: str
    unit: str
    needs: tuple[type, ...]
    measure: Callable[..., Tensor]
    unless: tuple[type, ...] = ()
    high_is_strange: bool = True

    def able(self, model: object) -> bool:
        """Whether the model gives this reading."""
        cls: type = type(model)
        can = fulfilled(cls)  # isinstance with a Protocol takes 0.2 ms, here hundreds of times
        return can.issuperset(p.__name__ for p in self.needs) and can.isdisjoint(
            p.__name__ for p in self.unless
        )


_SPOKEN_FOR = (Bounds, HasFreeEnergy, HasLikelihood, HasDensity, Judges, Reconstructs)
READINGS = (
    Reading("−log p(x)", "nats, exact, black and white", (HasLikelihood,), exact),
    Reading("−ELBO", "nats, grey pixels", (Bounds, HasEnergy), own_energy),
    Reading("KL(q‖p)", "nats", (Bounds,), kl),
    Reading(
        "Free energy",
        "nats up to log Z, black and white",
        (HasFreeEnergy,),
        free_energy,
        unless=(HasLikelihood,),
    ),
    Reading(
        "−log p*(x), bound",
        "nats up to log Z, black and white",
        (Annealed,),
        unnormalised,
        unless=(HasFreeEnergy,),
    ),
    Reading("−log p(x)", "nats, a density of grey pixels", (HasDensity,), density),
    Reading("D(x)", "1: believed real", (Judges,), believed_real, high_is_strange=False),
    Reading(
        "Energy", "squared error, summed over pixels", (HasEnergy,), own_energy, unless=_SPOKEN_FOR
    ),
    Reading(
        "Reconstruction error", "squared, summed over pixels", (Reconstructs,), reconstruction_error
    ),
    Reading(
        "Confidence",
        "probability of the likeliest class",
        (Classifies,),
        confidence,
        high_is_strange=False,
    ),
)


def readings_of(model: object) -> list[Reading]:
    """The readings that a model gives; the first is the one it is compared by."""
    return [reading for reading in READINGS if reading.able(model)]


@torch.no_grad()
def measure(model: object, x: Tensor) -> dict[str, Floats]:
    """Every reading of every image: (B, C, H, W) -> {name: (B,)}."""
    return {r.name: r.measure(model, x).cpu().double().numpy() for r in readings_of(model)}


def strangeness(value: float, real: Floats, reading: Reading) -> float:
    """Share of real digits that are less strange than this one; ties count half. 0 to 1."""
    sign = 1 if reading.high_is_strange else -1
    ordered, v = np.sort(sign * real), sign * value
    below, up_to = np.searchsorted(ordered, v, "left"), np.searchsorted(ordered, v, "right")
    return float(below + up_to) / (2 * len(ordered))


def saliency(model: Classifies, x: Tensor, cls: Tensor) -> Tensor:
    """|d logit_cls / d x|, the largest over colours: (B, C, H, W), (B,) -> (B, H, W)."""
    with torch.enable_grad():
        x = x.detach().clone().requires_grad_(True)
        score = model.logits(x).gather(1, cls[:, None]).sum()
        (grad,) = torch.autograd.grad(score, x)
    return grad.abs().amax(1)


@torch.no_grad()
def surprise(model: Autoregressive, x: Tensor) -> Tensor:
    """-log p(x_i | earlier pixels) of the black and white image, in nats: (B, H, W)."""
    return model.pixel_nll(black_and_white(x))[:, 0]


@torch.no_grad()
def nearest_component(model: HasComponents, x: Tensor) -> tuple[int, float, Tensor]:
    """Of one image (1, C, H, W): its likeliest component, p(k|x), and that one's mean (C, H, W)."""
    p, k = model.responsibilities(x)[0].max(0)
    return int(k), float(p), model.component_means()[int(k)]
