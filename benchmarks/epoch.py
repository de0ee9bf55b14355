"""Epoch time of genlib.training.loop against the usual way to train on MNIST.

The baseline is written here after the way of pytorch/examples' VAE and of the lecture notebook on
autoencoders: torchvision's MNIST with per-sample transforms (ToTensor, Normalize), a DataLoader in
the same process, plain Adam, ``loss.item()`` at every step. Same layers, loss, batch size, learning
rate and number of images on both sides; the two take turns in one process and medians are
compared. Neither side's time holds the evaluation on the test set. On one thread processor seconds
are judged: on an idle machine they are the wall's seconds, and on a busy one they still compare.

    python benchmarks/epoch.py            three full epochs a side; three minutes on two cores
    python benchmarks/epoch.py --quick    a fifth of the images, one turn, no verdict
    python benchmarks/epoch.py --json     one JSON object on standard output
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets as tv
from torchvision import transforms

sys.path.insert(0, str(Path(__file__).parents[1]))

from usual import ExampleVAE, Loss, NotebookAE, ae_loss, dae_loss, vae_loss

from genlib.data.datasets import Dataset, find_mnist, load
from genlib.settings import TrainSettings
from genlib.training import loop
from genlib.training.loop import choose_arithmetic


@dataclass(frozen=True)
class Case:
    """One comparison: the baseline's net and loss, genlib's family and settings, the target."""

    family: str
    config: dict[str, object]
    net: Callable[[], nn.Module]
    loss: Loss
    normalize: bool
    batch: int
    weight_decay: float
    target: float


def _notebook(family: str, d: int, loss: Loss, target: float) -> Case:
    """The lecture notebook's settings: batches of 256, pixels in [-1, 1], weight decay 1e-5."""
    return Case(family, {"latent_dim": d}, lambda: NotebookAE(d), loss, True, 256, 1e-5, target)


CASES = {
    "VAE 784-400-20": Case("vae", {"latent_dim": 20}, ExampleVAE, vae_loss, False, 128, 0.0, 2.3),
    "AE 784-30-784": _notebook("autoencoder", 30, ae_loss, 8.0),
    "DAE 784-500-784": _notebook("denoising", 500, dae_loss, 2.7),
}


@dataclass(frozen=True)
class Epoch:
    """One epoch: seconds on the wall, seconds of the processor, mean loss."""

    wall: float
    cpu: float
    loss: float


@dataclass(frozen=True)
class Result:
    """Medians over the turns, in seconds an epoch; losses are means over the last epoch."""

    name: str
    images: int
    baseline_s: float
    genlib_s: float
    wall_ratio: float
    baseline_cpu_s: float
    genlib_cpu_s: float
    ratio: float  # of processor seconds, both on one thread
    target: float
    auto_s: float
    auto_ratio: float
    auto_choice: str
    baseline_loss: float
    genlib_loss: float
    auto_loss: float


def baseline_epoch(case: Case, images: int) -> Epoch:
    """One epoch the usual way; mean loss per image (VAE) or pixel (AE, DAE)."""
    torch.manual_seed(0)
    steps: list[object] = [transforms.ToTensor()]
    if case.normalize:
        steps.append(transforms.Normalize((0.5,), (0.5,)))
    data = tv.MNIST(str(find_mnist()), train=True, transform=transforms.Compose(steps))
    loader = DataLoader(Subset(data, range(images)), batch_size=case.batch, shuffle=True)
    model = case.net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=case.weight_decay)
    total, began, cpu = 0.0, time.perf_counter(), time.process_time()
    for pictures, _ in loader:
        optimizer.zero_grad()
        loss = case.loss(model, pictures)
        loss.backward()
        optimizer.step()
        # the VAE's loss is a sum over the batch already
        total += loss.item() * (len(pictures) if case.normalize else 1)
    return Epoch(time.perf_counter() - began, time.process_time() - cpu, total / images)


def genlib_epoch(case: Case, data: Dataset, precision: str, threads: int) -> Epoch:
    """One epoch of genlib.training.loop; its wall seconds leave out choosing the arithmetic."""
    settings = TrainSettings(
        epochs=1,
        batch_size=case.batch,
        lr=1e-3,
        weight_decay=case.weight_decay,
        precision=precision,
        threads=threads,
    )
    model = loop.build(case.family, case.config, data, seed=0)
    cpu = time.process_time()
    *_, last = loop.train(model, data, settings)
    cpu = time.process_time() - cpu
    return Epoch(last.metrics["seconds"], cpu, last.metrics["train/loss"])


def automatic_choice(case: Case, data: Dataset) -> str:
    """What "auto" takes here, in words."""
    model = loop.build(case.family, case.config, data, seed=0)
    settings = TrainSettings(batch_size=case.batch)
    kept = torch.get_num_threads()
    autocast = choose_arithmetic(model, data.train_x, data.train_y, settings)
    kind = "bfloat16" if isinstance(autocast(), torch.autocast) else "float32"
    threads = torch.get_num_threads()
    torch.set_num_threads(kept)
    return f"{kind}, {threads} thread" + ("s" if threads > 1 else "")


def measure(name: str, case: Case, data: Dataset, turns: int) -> Result:
    """Let both sides take turns, so that a busy moment of the machine hits both."""
    images = len(data.train_x)
    one, ours, auto = [], [], []
    cores = os.cpu_count() or 1
    for _ in range(turns):
        torch.set_num_threads(1)
        one.append(baseline_epoch(case, images))
        ours.append(genlib_epoch(case, data, "float32", 1))
        torch.set_num_threads(cores)
        auto.append(genlib_epoch(case, data, "auto", 0))
    choice = automatic_choice(case, data)
    base, fast, best = (statistics.median(e.wall for e in runs) for runs in (one, ours, auto))
    base_cpu, fast_cpu = (statistics.median(e.cpu for e in runs) for runs in (one, ours))
    return Result(
        name=name,
        images=images,
        baseline_s=base,
        genlib_s=fast,
        wall_ratio=base / fast,
        baseline_cpu_s=base_cpu,
        genlib_cpu_s=fast_cpu,
        ratio=base_cpu / fast_cpu,
        target=case.target,
        auto_s=best,
        auto_ratio=base / best,
        auto_choice=choice,
        baseline_loss=one[-1].loss,
        genlib_loss=ours[-1].loss,
        auto_loss=auto[-1].loss,
    )


def row(r: Result, judge: bool) -> str:
    """What was measured, in words."""
    verdict = ("reached" if r.ratio >= r.target else "MISSED") if judge else "not judged"
    return (
        f"{r.name}\n"
        f"  processor  {r.baseline_cpu_s:7.2f} s -> {r.genlib_cpu_s:6.2f} s  {r.ratio:5.1f}x  "
        f"target {r.target:g}x: {verdict}\n"
        f"  wall       {r.baseline_s:7.2f} s -> {r.genlib_s:6.2f} s  {r.wall_ratio:5.1f}x\n"
        f"  automatic  {r.baseline_s:7.2f} s -> {r.auto_s:6.2f} s  {r.auto_ratio:5.1f}x  "
        f"({r.auto_choice})\n"
        f"  mean loss  {r.baseline_loss:.4g} -> {r.genlib_loss:.4g}, automatic {r.auto_loss:.4g}"
    )


def main() -> int:
    """Measure, print; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="12,000 images, one turn, no verdict")
    parser.add_argument("--turns", type=int, default=3, help="epochs a side; medians are compared")
    parser.add_argument("--only", choices=sorted(c.family for c in CASES.values()), help="one case")
    options = parser.parse_args()
    if find_mnist() is None:
        print("MNIST is not here: set GENLIB_DATA or run `python -m genlib download mnist`.")
        return 2
    data = load("mnist")
    data = replace(data, test_x=data.test_x[:16], test_y=data.test_y[:16])  # no evaluation
    if options.quick:
        data = replace(data, train_x=data.train_x[:12_000], train_y=data.train_y[:12_000])
    turns = 1 if options.quick else max(1, options.turns)
    if not options.json:
        print(
            "seconds an epoch: baseline -> genlib, float32 on one thread unless it says automatic"
        )
    results = []
    for name, case in CASES.items():
        if options.only in (None, case.family):
            results.append(measure(name, case, data, turns))
            if not options.json:
                print(row(results[-1], not options.quick), flush=True)
    if options.json:
        versions = {"torch": torch.__version__, "cores": os.cpu_count(), "quick": options.quick}
        print(json.dumps({**versions, "turns": turns, "results": [asdict(r) for r in results]}))
    return int(not options.quick and any(r.ratio < r.target for r in results))


if __name__ == "__main__":
    sys.exit(main())
