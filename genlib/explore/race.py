"""Ways to train a Boltzmann machine, side by side on data so small that log p is known exactly.

Source: Fischer & Igel 2010, "Empirical analysis of the divergence of Gibbs sampling based learning
algorithms for restricted Boltzmann machines": on bars and stripes CD-1 first raises the likelihood
and later lowers it again, because its chains never leave the data's neighbourhood.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genlib.models.base import Model
from genlib.models.capabilities import HasFreeEnergy
from genlib.models.optimizers import SGD

SHOWN = 10  # likeliest pictures


@dataclass(frozen=True)
class Verdict:
    """What the exact distribution of a model says, every picture being counted."""

    nll: float  # mean -log p of the data, in nats
    share: float  # of the probability that lies on the data, in [0, 1]
    likeliest: Tensor  # binary (SHOWN, n), fewer where there are fewer
    p: Tensor  # of each of them, falling


@dataclass
class Runner:
    """One way to train: its model, what it has cost and where it stands."""

    model: Model
    optimizers: dict[str, torch.optim.Optimizer]
    rng: torch.Generator
    seconds: float = 0.0  # of training, the exact sums left out
    curve: list[tuple[int, float]] = field(default_factory=list)  # (step, exact -log p in nats)
    verdict: Verdict | None = None  # the newest


def run(
    models: Mapping[str, Model], x: Tensor, all_v: Tensor, *, steps: int, every: int, lr: float
) -> Iterator[dict[str, Runner]]:
    """Train all models in turns by gradient steps with momentum 0.5 on the whole of x.

    x (B, C, H, W) binary, no two alike; all_v (2^n, n): every picture there is. Yields the runners
    each ``every`` steps, the first time untrained. The models are trained in place.
    """
    runners = {name: _prepare(model, lr) for name, model in models.items()}
    for step in range(0, steps + 1, every):
        for runner in runners.values():
            if step:
                _train(runner, x, every)
            runner.verdict = judge(runner.model, x, all_v)
            runner.curve.append((step, runner.verdict.nll))
        yield runners


def _prepare(model: Model, lr: float) -> Runner:
    optimizer = SGD(model.train().parameters(), lr, momentum=0.5)
    return Runner(model, {"sgd": optimizer}, torch.Generator().manual_seed(0))


def _train(runner: Runner, x: Tensor, steps: int) -> None:
    began = time.perf_counter()
    y = torch.zeros(len(x), dtype=torch.long)
    for _ in range(steps):
        runner.model.step(x, y, runner.rng, runner.optimizers, nullcontext)
    runner.seconds += time.perf_counter() - began


@torch.no_grad()
def judge(model: Model, x: Tensor, all_v: Tensor) -> Verdict:
    """Exact log p by log Z = log sum_v exp(-F(v)) over ``all_v``. TypeError without an F."""
    if not isinstance(model, HasFreeEnergy):
        raise TypeError(f"{model.family} has no free energy")
    scores = torch.cat([-model.free_energy(part) for part in all_v.split(1 << 14)])
    log_z = scores.logsumexp(0)
    log_p = -model.free_energy(x.flatten(1)) - log_z
    best = scores.topk(min(SHOWN, len(scores)))
    return Verdict(
        nll=-float(log_p.mean()),
        share=float(log_p.exp().sum()),
        likeliest=all_v[best.indices],
        p=(best.values - log_z).exp(),
    )
