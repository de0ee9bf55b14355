"""Loss functions: pure, one equation each.

Images are float32 in [0, 1] unless a function says otherwise. Every function states its
reduction; "per image" means shape (B,).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """sum_i (x_hat_i - x_i)^2, summed over pixels, per image: (B, ...) -> (B,)."""
    return (x_hat - x).square().flatten(1).sum(1)


def bernoulli_nll(logits: Tensor, x: Tensor) -> Tensor:
    """-sum_i [x_i log s(l_i) + (1 - x_i) log(1 - s(l_i))], per image, in nats.

    ``x`` in [0, 1]. For binary x this is -log p(x|z) of a Bernoulli decoder; for grey x it is
    the cross-entropy that the lecture text uses (a bound on no density, but the usual number).
    """
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def kl_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, e^logvar) || N(0, 1)) = (v - log v - 1 + mu^2) / 2 per dimension, in nats.

    (B, d), (B, d) -> (B, d). Lecture text "Autoencoders to GANs", free energy of the VAE.
    """
    return 0.5 * (logvar.exp() - logvar - 1 + mu.square())


def log_normal(z: Tensor, mu: Tensor | float = 0.0, logvar: Tensor | None = None) -> Tensor:
    """log N(z; mu, e^logvar) summed over the last dimension, in nats."""
    if logvar is None:
        logvar = torch.zeros_like(z)
    return -0.5 * ((z - mu).square() / logvar.exp() + logvar + math.log(2 * math.pi)).sum(-1)
