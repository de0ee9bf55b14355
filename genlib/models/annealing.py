"""Annealed importance sampling: the log Z of a bipartite pair of layers, with an error bar.

Sources: Neal 2001, "Annealed importance sampling"; Salakhutdinov & Murray 2008, "On the
quantitative analysis of deep belief networks".

Between a base of independent pixels (beta = 0) and the pair (beta = 1) lie the distributions

    log p*_beta(v) = (1 - beta) base v + beta a v + sum_j softplus(beta (b + v W)_j)

A chain walks through them by Gibbs steps and collects
log w = log Z_base + sum_k (log p*_k(v_k) - log p*_{k-1}(v_k)). E[w] = Z whatever the number of
temperatures; more of them make w vary less.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.models.layers import binarize

REPORTS = 100  # how often an annealing tells its weights


class Estimate(NamedTuple):
    """A number in nats with its standard error."""

    value: float
    stderr: float


@torch.no_grad()
def anneal(
    weight: Tensor,
    a: Tensor,
    b: Tensor,
    base: Tensor,
    chains: int,
    temperatures: int,
    rng: torch.Generator,
) -> Iterator[Tensor]:
    """Run AIS; yields log importance weights (chains,) so far, log Z of the base included.

    W (n_visible, n_hidden), a and base (n_visible,), b (n_hidden,). Raises ValueError for fewer
    than 2 chains (no error bar) or no temperature.
    """
    if chains < 2 or temperatures < 1:
        raise ValueError(
            f"AIS needs at least 2 chains and 1 temperature, got {chains} and {temperatures}"
        )
    log_z = F.softplus(base).sum() + len(b) * math.log(2)
    log_w = log_z.cpu().double().expand(chains).clone()  # MPS has no float64
    v = binarize(base.sigmoid().expand(chains, -1), rng)
    betas = schedule(temperatures)
    every = max(1, temperatures // REPORTS)
    for k, (cool, warm) in enumerate(zip(betas[1:], betas[:-1], strict=True), 1):
        up = v @ weight + b
        rise = (cool - warm) * (v @ (a - base))
        log_w += (rise + (F.softplus(cool * up) - F.softplus(warm * up)).sum(1)).cpu().double()
        h = binarize((cool * up).sigmoid(), rng)
        v = binarize((cool * (h @ weight.t() + a) + (1 - cool) * base).sigmoid(), rng)
        if k % every == 0 or k == temperatures:
            yield log_w.clone()


def schedule(temperatures: int) -> list[float]:
    """Inverse temperatures from 0 to 1, temperatures + 1 of them, denser towards 1.

    Salakhutdinov & Murray's shares: 500 of 14,500 up to 0.5, 4,000 up to 0.9, 10,000 up to 1.
    """
    shares, knots = (0.0, 500 / 14_500, 4_500 / 14_500, 1.0), (0.0, 0.5, 0.9, 1.0)
    betas = []
    for step in range(temperatures + 1):
        t = step / temperatures
        i = next(i for i in range(3) if t <= shares[i + 1])
        part = (t - shares[i]) / (shares[i + 1] - shares[i])
        betas.append(knots[i] + part * (knots[i + 1] - knots[i]))
    return betas


def log_mean(log_w: Tensor) -> Estimate:
    """log of the mean weight and its standard error by the delta method: (chains,) -> nats.

    std(w) / (mean(w) sqrt(chains)). It is too small where a few chains carry the mean: compare
    ``effective`` with the number of chains.
    """
    n = len(log_w)
    w = (log_w - log_w.max()).exp()
    value = float(log_w.max() + w.mean().log())
    return Estimate(value, float(w.std() / w.mean() / math.sqrt(n)))


def effective(log_w: Tensor) -> float:
    """How many equally heavy chains the weights are worth: (sum w)^2 / sum w^2."""
    w = (log_w - log_w.max()).exp()
    return float(w.sum().square() / w.square().sum())
