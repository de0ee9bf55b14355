"""PixelCNN against the usual way, and PixelRNN's cached sampling against its own naive one.

    python benchmarks/pixelcnn.py            # sampling in full: minutes, nearly all of it the naive
    python benchmarks/pixelcnn.py --quick    # of the naive sampling every 16th pixel, times 16

The usual way has kernels stored in full and masked by multiplication, images in NCHW, plain Adam,
`.item()` every step, and a whole pass of the net for each pixel that is drawn. Both sides have the
same weights: their losses agree and, from the same uniforms, they draw the same images. One thread;
seconds of processor time, which other programs on the machine disturb less than those on the wall.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))

from genlib.models.autoregressive import AutoregressiveModel, MaskedConv
from genlib.models.layers import binarize
from genlib.models.pixelcnn import Block, PixelCNN, PixelCNNSettings
from genlib.models.pixelrnn import PixelRNN, PixelRNNSettings
from genlib.training.state import lay_out

WIDTH, BLOCKS, BATCH, N = 32, 7, 16, 16
TURNS = 9
STEP_BAR, SAMPLING_BAR = 1.2, 100.0


class UsualMaskedConv(nn.Conv2d):
    """The full kernel, masked anew before every use."""

    mask: Tensor

    def __init__(self, ours: MaskedConv) -> None:
        size = ours.kernel_size[1]
        super().__init__(ours.in_channels, ours.out_channels, size, padding=size // 2)
        self.register_buffer("mask", F.pad(ours.mask, (0, 0, 0, size // 2)))
        with torch.no_grad():
            self.weight.copy_(F.pad(ours.weight * ours.mask, (0, 0, 0, size // 2)))
            self.bias.copy_(ours.bias)

    def forward(self, x: Tensor) -> Tensor:
        self.weight.data *= self.mask
        return super().forward(x)


class UsualPixelCNN(nn.Module):
    """The same net as ours with the usual masked convolutions."""

    def __init__(self, ours: PixelCNN) -> None:
        super().__init__()
        blocks = [b for b in ours.blocks if isinstance(b, Block)]
        self.first = UsualMaskedConv(ours.first)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(),
                _copy(b.down),
                nn.ReLU(),
                UsualMaskedConv(b.middle),
                nn.ReLU(),
                _copy(b.up),
            )
            for b in blocks
        )
        self.ends = nn.Sequential(nn.ReLU(), _copy(ours.head), nn.ReLU(), _copy(ours.last))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return self.ends(hidden)


def _copy(conv: nn.Conv2d) -> nn.Conv2d:
    twin = nn.Conv2d(conv.in_channels, conv.out_channels, 1)
    twin.load_state_dict(conv.state_dict())
    return twin


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def steps() -> tuple[float, float]:
    """Median seconds of a training step, the usual way and ours, on the same images."""
    torch.manual_seed(0)
    ours = PixelCNN(PixelCNNSettings(width=WIDTH, blocks=BLOCKS))
    usual = UsualPixelCNN(ours)
    lay_out(ours)
    optimizers, plain = ours.optimizers(1e-3, 0.0), torch.optim.Adam(usual.parameters(), 1e-3)
    x = torch.rand(BATCH, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    losses: dict[str, float] = {}

    def usual_step(rng: torch.Generator) -> None:
        plain.zero_grad()
        ink = binarize(x, rng)
        loss = F.binary_cross_entropy_with_logits(usual(ink), ink, reduction="sum") / BATCH
        loss.backward()
        plain.step()
        losses["usual"] = loss.item()

    def our_step(rng: torch.Generator) -> None:
        losses["ours"] = ours.step(x, x, rng, optimizers, nullcontext)["loss"]  # type: ignore

    times: dict[str, list[float]] = {"usual": [], "ours": []}
    for turn in range(TURNS):
        for name, step in (("usual", usual_step), ("ours", our_step)):
            rng = torch.Generator().manual_seed(turn)
            times[name].append(seconds(lambda step=step, rng=rng: step(rng)))
    usual_loss, our_loss = losses["usual"], float(losses["ours"])
    print(f"loss after {TURNS} steps: usual {usual_loss:.3f}, ours {our_loss:.3f} nats")
    assert abs(usual_loss - our_loss) < 1e-2 * usual_loss, "the two sides do not learn the same"
    return statistics.median(times["usual"]), statistics.median(times["ours"])


@torch.no_grad()
def naively(net: Callable[[Tensor], Tensor], noise: Tensor, every: int) -> tuple[Tensor, float]:
    """Draw by a whole pass a pixel; with ``every`` > 1 only such pixels, and seconds times it."""
    x = torch.zeros(N, 1, 28, 28)
    began = time.process_time()
    for index in range(0, 784, every):
        i, j = divmod(index, 28)
        x[:, 0, i, j] = (noise[:, index] < net(x)[:, 0, i, j].sigmoid()).float()
    return x, (time.process_time() - began) * every


def sampling(ours: AutoregressiveModel, net: Callable[[Tensor], Tensor], every: int) -> float:
    """Print and return the ratio of naive to cached sampling of N images."""
    noise = torch.rand(N, 784, generator=torch.Generator().manual_seed(2))
    blank = torch.zeros(N, 1, 28, 28)
    cached = statistics.median(seconds(lambda: ours.draw(noise, blank)) for _ in range(3))
    images, naive = naively(net, noise, every)
    if every == 1:
        assert torch.equal(images, ours.draw(noise, blank)), "the two sides draw other images"
    how = "the same images" if every == 1 else f"every {every}th pixel of the naive one, scaled"
    print(
        f"{ours.title}: {N} images of 28 x 28 ({how}): naive {naive:.1f} s, "
        f"cached {cached:.2f} s, {naive / cached:.0f} x"
    )
    return naive / cached


def main() -> int:
    """Measure, print, and say whether the bars were reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a sixteenth of the naive sampling")
    every = 16 if parser.parse_args().quick else 1
    torch.set_num_threads(1)
    usual, ours = steps()
    print(
        f"PixelCNN step, width {WIDTH}, {BLOCKS} blocks, batch {BATCH}: "
        f"usual {1e3 * usual:.0f} ms, ours {1e3 * ours:.0f} ms, {usual / ours:.2f} x"
    )
    torch.manual_seed(0)
    cnn = PixelCNN(PixelCNNSettings(width=WIDTH, blocks=BLOCKS)).eval()
    faster = sampling(cnn, UsualPixelCNN(cnn).eval(), every)
    rnn = PixelRNN(PixelRNNSettings(width=16, layers=2)).eval()
    faster = min(faster, sampling(rnn, rnn.pixel_logits, every))
    reached = usual / ours >= STEP_BAR and faster >= SAMPLING_BAR
    print(f"bars: step {STEP_BAR} x, sampling {SAMPLING_BAR:.0f} x:", end=" ")
    print("reached" if reached else "missed")
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
