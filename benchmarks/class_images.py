"""Class images: our ascent against a plain loop as the lecture's skeleton has it, in one run.

    python benchmarks/class_images.py [--seconds 6] [--only cnn,resnet18,googlenet]

Baseline, written after the overview text's ``class_visualization``: one class at a time, the loss
backward through every weight (``model.backward`` gives all gradients), numpy roll and clip, a blur
every 10 steps. Ours: the same step (jitter, score, L2, clip, blur) for all classes in one batch,
looked at through a ``Lens``. Both on one CPU thread with random weights; rounds of the two take
turns, so that a busy computer slows both, and the median ratio of the rounds is reported.
Printed: milliseconds for one step of one image, and how many times faster. A GPU is measured too
where there is one, with ours only.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from genlib.explore.ascent import imagenet
from genlib.explore.ascent.climb import Ascent, noise
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Network, lens
from genlib.models.classifier import Classifier, ClassifierSettings

GOALS = {"cnn": 3.5, "resnet18": 3.0, "googlenet": 3.0}
CLASSES = {"cnn": 10, "resnet18": 4, "googlenet": 4}
LR, L2, JITTER, BLUR_EVERY, BLUR_SIGMA = 0.05, 1e-3, 2, 10, 0.5
Image = NDArray[np.float32]


RNG = np.random.default_rng(0)


def plain_step(
    model: Callable[[torch.Tensor], torch.Tensor],
    parameters: list[nn.Parameter],
    x: Image,
    target: int,
    t: int,
    mean: Image,
) -> Image:
    """One step of the skeleton for one image (1, C, H, W), centred by ``mean``."""
    ox, oy = RNG.integers(-JITTER, JITTER + 1, 2)
    x = np.roll(np.roll(x, ox, -1), oy, -2)
    leaf = torch.tensor(x, requires_grad=True)
    for p in parameters:
        p.grad = None
    scores = model(leaf)
    dscores = torch.zeros_like(scores)
    dscores[0, target] = 1.0
    scores.backward(dscores)
    dx = leaf.grad.numpy() - 2 * L2 * x
    x = x + LR * dx
    x = np.roll(np.roll(x, -ox, -1), -oy, -2)
    x = np.clip(x, -mean, 1 - mean)
    if t % BLUR_EVERY == 0:
        x = gaussian_filter(x, (0, 0, BLUR_SIGMA, BLUR_SIGMA)).astype(np.float32)
    return x


def networks(name: str) -> Network:
    """The network measured, with random weights."""
    if name == "cnn":
        model = Classifier(ClassifierSettings()).eval()
        return Network("cnn", "CNN", model, tuple(map(str, range(10))), (1, 28, 28))
    return imagenet.untrained(name)


def plain(network: Network) -> Callable[[], float]:
    """A function that makes one step for one image and returns its seconds."""
    model = network.module.requires_grad_(True)
    mean = np.array(network.mean, np.float32).reshape(1, -1, 1, 1)
    std = torch.tensor(network.std).view(1, -1, 1, 1)
    call = model.logits if isinstance(model, Classifier) else lambda x: model(x / std)
    parameters = list(model.parameters())
    x = np.float32(0.1) * RNG.standard_normal((1, *network.shape), np.float32)
    t, classes = 0, CLASSES[network.name.removesuffix("-untrained")]

    def step() -> float:
        nonlocal x, t
        start = time.perf_counter()
        x = plain_step(call, parameters, x, t % classes, t, mean)
        t += 1
        return time.perf_counter() - start

    return step


def ours(network: Network, device: torch.device) -> tuple[Callable[[], float], str]:
    """A function that makes one step for all classes and returns seconds per image; the format."""
    count = CLASSES[network.name.removesuffix("-untrained")]
    network.module.requires_grad_(False)
    made = lens(network, device, count)
    rng = torch.Generator().manual_seed(0)
    start = noise((count, *network.shape), made.mean, rng)
    knobs = Knobs(lr=LR, l2=L2, jitter=JITTER, blur_every=BLUR_EVERY, blur_sigma=BLUR_SIGMA)
    ascent = Ascent(made, start, range(count), knobs, rng)

    def step() -> float:
        begin = time.perf_counter()
        ascent.advance()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - begin) / count

    return step, str(made.dtype).removeprefix("torch.")


def compare(name: str, seconds: float) -> None:
    """Measure both in turns and print a line."""
    base = plain(networks(name))
    fast, dtype = ours(networks(name), torch.device("cpu"))
    for step in (base, base, fast, fast):
        step()
    rounds: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    per_round = 20 if name == "cnn" else 2
    while time.perf_counter() < end or len(rounds) < 3:
        one = statistics.median(base() for _ in range(per_round))
        two = statistics.median(fast() for _ in range(per_round))
        rounds.append((one, two))
    slow, quick = (1e3 * statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    verdict = "reached" if ratio >= GOALS[name] else "MISSED"
    print(
        f"{name:<10} plain {slow:8.3f} ms  ours {quick:8.3f} ms  {ratio:5.2f}x  "
        f"goal {GOALS[name]:.1f}x {verdict}  ({CLASSES[name]} classes, {dtype}, "
        f"{len(rounds)} rounds)",
        flush=True,
    )


def on_gpu(name: str) -> None:
    """Steps a second on the GPU, and how much of the time the host spends on launching kernels."""
    device = torch.device("cuda")
    step, dtype = ours(networks(name), device)
    for _ in range(5):
        step()
    count = CLASSES[name]
    each = statistics.median(step() for _ in range(30)) * count
    print(f"{name:<10} GPU {1 / each:8.1f} steps/s of {count} images  ({dtype})")


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=6.0, help="per network")
    parser.add_argument("--only", default=",".join(GOALS), help="comma-separated networks")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"one CPU thread, torch {torch.__version__}; milliseconds per image and step")
    for name in given.only.split(","):
        compare(name, given.seconds)
        if torch.cuda.is_available():
            on_gpu(name)


if __name__ == "__main__":
    main()
