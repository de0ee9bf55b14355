"""Measure one likelihood of one checkpoint in a process of its own, telling how far it is.

    python -m genlib.evaluate.bench checkpoints/pixelcnn.safetensors nll --n 500

prints lines of JSON, {"share": 0.4, "text": "..."} now and then, at the end {"metrics": ...} or
{"error": "one sentence"}. A page can show that, stay quick meanwhile, and end it at any time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.store.checkpoint import CheckpointError, load, peek

if TYPE_CHECKING:
    from genlib.models import Model


@dataclass(frozen=True)
class Likelihood:
    """One kind of number in nats.

    name: on screen; needs: the capability; evaluate: its name in evaluate.METRICS; pixels: what the
    images are ("binary", "grey" or "density": their nats must not be compared); calls: the method
    that does the work, and how often it is called for n images.
    """

    name: str
    needs: str
    evaluate: str
    pixels: str
    bound: bool
    method: str
    calls: Callable[[int], int]


def _batches(n: int) -> int:
    return math.ceil(n / 500)


LIKELIHOODS: dict[str, Likelihood] = {
    "nll": Likelihood(
        "Exact", "HasLikelihood", "exact likelihood", "binary", False, "log_likelihood", _batches
    ),
    "nll_ais": Likelihood(
        "Estimate by annealing",
        "Annealed",
        "annealed importance sampling",
        "binary",
        False,
        "anneal",
        lambda n: 100,
    ),
    "iwae_bound": Likelihood(
        "Bound, 200 samples",
        "Bounds",
        "importance-weighted bound",
        "binary",
        True,
        "encode",
        lambda n: math.ceil(min(n, 1000) / 2),
    ),
    "neg_elbo_binarized": Likelihood(
        "Bound, −ELBO", "Bounds", "binarized ELBO", "binary", True, "encode", _batches
    ),
    "neg_elbo": Likelihood("Bound, −ELBO", "Bounds", "ELBO", "grey", True, "encode", _batches),
    "nll_density": Likelihood(
        "Exact density", "HasDensity", "density", "density", False, "log_density", _batches
    ),
}


def measure(path: Path, metric: str, n: int, tell: Callable[[float, str], None]) -> dict[str, dict]:
    """Measure ``metric`` (a key of LIKELIHOODS) on n test images: {name: Metric as a dict}.

    ``tell(share, text)`` is called now and then. Raises ValueError for what cannot be measured.
    """
    import torch

    from genlib import devices
    from genlib.data import datasets
    from genlib.evaluate.metric import Sample
    from genlib.evaluate.metrics import METRICS

    kind, info = LIKELIHOODS[metric], peek(path)
    if kind.needs not in info.capabilities:
        raise ValueError(f"{info.name} has no {metric}: it is not a model that {kind.needs}.")
    data = datasets.load(info.dataset, str(info.train.get("classes", "")))
    n = min(n, len(data.test_x))
    if n < 2:
        raise ValueError(f"n must be at least 2 to give a standard error, got {n}")
    model = load(info, str(devices.device()))
    order = torch.randperm(len(data.test_x), generator=torch.Generator().manual_seed(0))[:n]
    x = datasets.to_float(data.test_x[order]).to(model.device)
    sample = Sample(x, data.test_y[order], f"{data.name} test", 0, data.test_y.unique())
    _watch(model, kind, n, tell)
    with torch.no_grad():
        found = METRICS[kind.evaluate][1](model, sample)
    return {metric: asdict(found[metric])}


def _watch(model: Model, kind: Likelihood, n: int, tell: Callable[[float, str], None]) -> None:
    """Tell at every call of the method that does the work. The model is this process's own."""
    work, total, done = getattr(model, kind.method), kind.calls(n), 0

    def tick() -> None:
        nonlocal done
        done += 1
        tell(min(done / total, 0.99), kind.evaluate)

    def watched(*given: object) -> object:
        result = work(*given)
        if isinstance(result, Iterator):
            return _ticking(result, tick)
        tick()
        return result

    object.__setattr__(model, kind.method, watched)


def _ticking(steps: Iterator[object], tick: Callable[[], None]) -> Iterator[object]:
    for step in steps:
        yield step
        tick()


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m genlib.evaluate.bench", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("metric", choices=list(LIKELIHOODS))
    parser.add_argument("--n", type=int, default=500)
    options = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(10)  # the pages come first

    def say(**what: object) -> None:
        print(json.dumps(what), flush=True)

    try:
        found = measure(
            options.path, options.metric, options.n, lambda share, text: say(share=share, text=text)
        )
    except (ValueError, CheckpointError) as error:
        say(error=str(error))
        return 1
    say(metrics=found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
