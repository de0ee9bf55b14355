"""A small GAN in PyTorch: the reference that genlib/web/shared/learn computes again in node."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import softplus

from genlib.ui.foundations.lessons.gans import GAN_PLANE, SAMPLING

STEPS = 100
BATCH = 128
ACTIVATIONS = {"leaky relu": lambda: nn.LeakyReLU(0.2), "relu": nn.ReLU, "tanh": nn.Tanh}
Score = Callable[[Tensor], Tensor]
# name -> what D minimises on real and on forged points, and what G minimises
LOSSES: dict[str, tuple[Score, Score, Score]] = {
    "non-saturating": (lambda s: softplus(-s), softplus, lambda s: softplus(-s)),
    "minimax": (lambda s: softplus(-s), softplus, lambda s: -softplus(s)),
    "least squares": (
        lambda s: (s - 1) ** 2 / 2,
        lambda s: s**2 / 2,
        lambda s: (s - 1) ** 2 / 2,
    ),
}


def text(values: NDArray[np.float32]) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


def mlp(sizes: list[int], activation: str) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


def values(net: nn.Module) -> str:
    return text(nn.utils.parameters_to_vector(net.parameters()).detach().numpy())


def optimizer(name: str, net: nn.Module, lr: float) -> torch.optim.Optimizer:
    if name == "adam":
        return torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999))
    return torch.optim.SGD(net.parameters(), lr)


def trained(loss: str, activation: str, how: str, d_steps: int, batches: Tensor) -> dict:
    """Weights before, after one step and after all, with what they were trained on.

    batches: (STEPS * (2 * d_steps + 1), BATCH, 2): x and z for each step of D, z for each of G.
    """
    real, fake, forged = LOSSES[loss]
    g, d = mlp([2, 32, 32, 2], activation), mlp([2, 32, 32, 1], activation)
    lr = 1e-3 if how == "adam" else 0.05
    g_optimizer, d_optimizer = optimizer(how, g, lr), optimizer(how, d, lr)
    given = iter(batches)
    found: dict[str, object] = {"before": [values(g), values(d)]}
    for step in range(STEPS):
        for _ in range(d_steps):
            x, z = next(given), next(given)
            d_loss = real(d(x)).mean() + fake(d(g(z).detach())).mean()
            d_optimizer.zero_grad()
            d_loss.backward()
            d_optimizer.step()
        g_loss = forged(d(g(next(given)))).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        if step == 0:
            found |= {"one": [values(g), values(d)], "losses": [d_loss.item(), g_loss.item()]}
    settings = {"loss": loss, "activation": activation, "optimizer": how, "lrG": lr, "lrD": lr}
    return {**found, "hundred": [values(g), values(d)], "settings": {**settings, "dSteps": d_steps}}


def learning() -> dict[str, object]:
    """What learn.test.mjs needs."""
    torch.manual_seed(0)
    batches = torch.randn(STEPS * 5, BATCH, 2)
    batches[::2] *= 0.4
    cases = [
        ("non-saturating", "leaky relu", "adam", 1),
        ("minimax", "tanh", "adam", 1),
        ("least squares", "leaky relu", "sgd", 2),
        ("non-saturating", "relu", "sgd", 1),
    ]
    return {
        "batch": BATCH,
        "steps": STEPS,
        "batches": text(batches.numpy()),
        "cases": [trained(*case, batches) for case in cases],
    }


def lessons() -> dict[str, dict[str, object]]:
    """The states of the lessons whose facts node computes, by page and key."""
    pages = {"gan_plane": GAN_PLANE, "sampling": SAMPLING}
    return {
        page: {one.key: {"state": dict(one.state), "before": dict(one.before)} for one in every}
        for page, every in pages.items()
    }
