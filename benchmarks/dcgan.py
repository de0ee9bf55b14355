"""One step of our DCGAN 28x28 against the lecture's plain loop.

The baseline is written here after the loop of the lecture text "Autoencoders to GANs" and of
pytorch/examples' DCGAN: D ends in a sigmoid, ``nn.BCELoss`` with tensors of labels, two backward
passes for D, D not frozen while G learns, plain Adam, ``.item()`` three times a step. Same layers
(the article's, dense 128*7*7), batch size, learning rate, images on both sides; data are ready in
memory on both, so that only the step is timed. The two take turns in one process and medians are
compared. On one thread processor seconds are judged: on an idle machine they are the wall's
seconds, and on a busy one they still compare. On a GPU it is the wall's seconds, after a
synchronisation.

    python benchmarks/dcgan.py                 8 steps a turn, three turns; two minutes on a CPU
    python benchmarks/dcgan.py --quick         3 steps, one turn, no verdict
    python benchmarks/dcgan.py --json          one JSON object on standard output
    python benchmarks/dcgan.py --device cuda   on a GPU
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn, optim

sys.path.insert(0, str(Path(__file__).parents[1]))

from genlib.data.datasets import Dataset, find_mnist, load, to_float
from genlib.models.base import Autocast
from genlib.settings import TrainSettings
from genlib.training import loop
from genlib.training.loop import choose_arithmetic
from genlib.training.state import lay_out

LATENT, BATCH, LR = 100, 128, 2e-4
TARGET = 1.1  # float32 on one thread; the convolutions themselves are the same on both sides
WARM_UP = 2  # steps before the clock runs

Step = Callable[[int], dict[str, float]]


def plain_generator() -> nn.Sequential:
    """The article's generator; pixels in [-1, 1]."""
    return nn.Sequential(
        nn.Linear(LATENT, 128 * 7 * 7),
        nn.ReLU(),
        nn.Unflatten(1, (128, 7, 7)),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(128, 128, 3, padding=1),
        nn.BatchNorm2d(128, momentum=0.2),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(128, 64, 3, padding=1),
        nn.BatchNorm2d(64, momentum=0.2),
        nn.ReLU(),
        nn.Conv2d(64, 1, 3, padding=1),
        nn.Tanh(),
    )


def plain_discriminator() -> nn.Sequential:
    """The article's discriminator; ends in a sigmoid."""
    layers: list[nn.Module] = [nn.Conv2d(1, 32, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout(0.25)]
    for n_in, stride in ((32, 2), (64, 2), (128, 1)):
        layers += [
            nn.Conv2d(n_in, 2 * n_in, 3, stride, 1),
            nn.BatchNorm2d(2 * n_in, momentum=0.2),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.25),
        ]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256 * 4 * 4, 1), nn.Sigmoid())


def plain_loop(images: Tensor) -> Step:
    """The lecture's step; images uint8 on the device."""
    device = images.device
    torch.manual_seed(0)
    g, d = plain_generator().to(device), plain_discriminator().to(device)
    criterion = nn.BCELoss()
    g_adam = optim.Adam(g.parameters(), lr=LR, betas=(0.5, 0.999))
    d_adam = optim.Adam(d.parameters(), lr=LR, betas=(0.5, 0.999))
    ready = to_float(images) * 2 - 1

    def step(k: int) -> dict[str, float]:
        d.zero_grad()
        real = ready[k * BATCH : (k + 1) * BATCH]
        label = torch.full((len(real),), 1.0, device=device)
        output = d(real).view(-1)
        d_real = criterion(output, label)
        d_real.backward()
        d_x = output.mean().item()
        fake = g(torch.randn(len(real), LATENT, device=device))
        label.fill_(0.0)
        output = d(fake.detach()).view(-1)
        d_fake = criterion(output, label)
        d_fake.backward()
        d_gz = output.mean().item()
        d_adam.step()
        g.zero_grad()
        label.fill_(1.0)
        loss = criterion(d(fake).view(-1), label)
        loss.backward()
        g_adam.step()
        return {"d_x": d_x, "d_gz": d_gz, "g_loss": loss.item()}

    return step


def our_step(data: Dataset, images: Tensor, precision: str, threads: int) -> tuple[Step, str]:
    """genlib's step in the arithmetic asked for, and what "auto" took."""
    torch.set_num_threads(threads or os.cpu_count() or 1)
    settings = TrainSettings(batch_size=BATCH, lr=LR, precision=precision, threads=threads)
    model = lay_out(loop.build("dcgan_28", {"latent_dim": LATENT}, data, seed=0))
    model = model.to(images.device).train()
    autocast: Autocast = choose_arithmetic(model, images, data.train_y.to(images.device), settings)
    optimizers = model.optimizers(LR, 0.0)
    rng = torch.Generator().manual_seed(0)
    ready = to_float(images)
    labels = torch.zeros(BATCH)

    def step(k: int) -> dict[str, float]:
        terms = model.step(ready[k * BATCH : (k + 1) * BATCH], labels, rng, optimizers, autocast)
        return {} if k % 10 else {name: float(value) for name, value in terms.items()}

    kind = "bfloat16" if isinstance(autocast(), torch.autocast) else "float32"
    return step, f"{kind}, {torch.get_num_threads()} thread(s)"


@dataclass(frozen=True)
class Result:
    """Medians over the turns, in milliseconds a step."""

    device: str
    baseline_ms: float
    genlib_ms: float
    wall_ratio: float
    ratio: float  # of processor seconds on a CPU, of the wall's on a GPU
    target: float
    auto_ms: float
    auto_ratio: float
    auto_choice: str
    baseline_d_x: float
    genlib_d_x: float


@dataclass
class Side:
    """One side's steps and its times, in milliseconds a step."""

    step: Step
    threads: int
    wall: list[float]
    cpu: list[float]
    done: int = 0
    last: float = 0.0

    def turn(self, steps: int, device: torch.device) -> None:
        """Take ``steps`` steps against the clock."""
        torch.set_num_threads(self.threads)
        for _ in range(WARM_UP):
            self.step(0)
        wait = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)
        wait()
        wall, cpu = time.perf_counter(), time.process_time()
        for k in range(steps):
            self.last = self.step(k).get("d_x", self.last)
        wait()
        self.wall.append((time.perf_counter() - wall) / steps * 1000)
        self.cpu.append((time.process_time() - cpu) / steps * 1000)


def measure(data: Dataset, device: torch.device, steps: int, turns: int) -> Result:
    """Let the sides take turns, so that a busy moment of the machine hits all."""
    images = data.train_x[: max(steps, 16) * BATCH].to(device)
    auto, choice = our_step(data, images, "auto", 0)
    threads = torch.get_num_threads()
    ours, _ = our_step(data, images, "float32", 1)
    sides = [
        Side(plain_loop(images), 1, [], []),
        Side(ours, 1, [], []),
        Side(auto, threads, [], []),
    ]
    for _ in range(turns):
        for side in sides:
            side.turn(steps, device)
    base, fast, best = (statistics.median(s.wall) for s in sides)
    base_cpu, fast_cpu = (statistics.median(s.cpu) for s in sides[:2])
    gpu = device.type == "cuda"
    return Result(
        device=torch.cuda.get_device_name(device) if gpu else "cpu",
        baseline_ms=base,
        genlib_ms=fast,
        wall_ratio=base / fast,
        ratio=base / fast if gpu else base_cpu / fast_cpu,
        target=TARGET,
        auto_ms=best,
        auto_ratio=base / best,
        auto_choice=choice,
        baseline_d_x=sides[0].last,
        genlib_d_x=sides[1].last,
    )


def words(r: Result, judge: bool) -> str:
    """What was measured, in words."""
    verdict = ("reached" if r.ratio >= r.target else "MISSED") if judge else "not judged"
    return (
        f"DCGAN 28x28, batch {BATCH}, {r.device}: milliseconds a step, plain loop -> genlib\n"
        f"  judged     {r.ratio:5.2f}x  target {r.target:g}x: {verdict}\n"
        f"  wall       {r.baseline_ms:7.1f} -> {r.genlib_ms:7.1f}  {r.wall_ratio:5.2f}x\n"
        f"  automatic  {r.baseline_ms:7.1f} -> {r.auto_ms:7.1f}  {r.auto_ratio:5.2f}x  "
        f"({r.auto_choice})\n"
        f"  D(x) after the last steps  {r.baseline_d_x:.2f}, {r.genlib_d_x:.2f}"
    )


def main() -> int:
    """Measure, print; 1 if the target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="3 steps, one turn, no verdict")
    parser.add_argument("--steps", type=int, default=8, help="steps a turn")
    parser.add_argument("--turns", type=int, default=3, help="turns; medians are compared")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options = parser.parse_args()
    if find_mnist() is None:
        print("MNIST is not here: set GENLIB_DATA or run `python -m genlib download mnist`.")
        return 2
    steps, turns = (3, 1) if options.quick else (max(1, options.steps), max(1, options.turns))
    result = measure(load("mnist"), torch.device(options.device), steps, turns)
    judge = not options.quick
    if options.json:
        versions = {"torch": torch.__version__, "cores": os.cpu_count(), "quick": options.quick}
        print(json.dumps({**versions, **asdict(result)}))
    else:
        print(words(result, judge))
    return int(judge and result.ratio < result.target)


if __name__ == "__main__":
    sys.exit(main())
