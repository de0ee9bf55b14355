"""PixelCNN: log p(x) = sum_i log p(x_i | x_1 .. x_{i-1}), exact, by masked convolutions.

Source: van den Oord, Kalchbrenner & Kavukcuoglu 2016, arXiv:1601.06759 (masks A and B, residual
blocks of 1x1 - masked 3x3 - 1x1). Simplified: one channel, no gates, so the masked 3x3 has the
known blind spot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from genlib.models.autoregressive import (
    AutoregressiveModel,
    AutoregressiveSettings,
    Columns,
    MaskedConv,
    neighbours,
    pointwise,
)
from genlib.settings import setting


@dataclass(frozen=True)
class PixelCNNSettings(AutoregressiveSettings):
    """Sizes of a PixelCNN."""

    blocks: int = setting(7, 1, 20, "Residual blocks.")


class Block(nn.Module):
    """x + 1x1(relu(masked 3x3(relu(1x1(relu(x))))))."""

    def __init__(self, h: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(2 * h, h, 1)
        self.middle = MaskedConv(h, h, 3, "B")
        self.up = nn.Conv2d(h, 2 * h, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.up(self.middle(self.down(x.relu()).relu()).relu())


class PixelCNN(AutoregressiveModel):
    """Mask A 7x7, residual blocks, two 1x1: one logit a pixel. Energy: exact -log p(x) in nats."""

    family = "pixelcnn"
    title = "PixelCNN"
    source = "Slides “Generative taxonomy”; van den Oord et al. 2016"
    Config = PixelCNNSettings
    config: PixelCNNSettings
    defaults: ClassVar[dict[str, object]] = {"epochs": 5, "lr": 2e-3, "schedule": "cosine"}

    def add_between(self) -> None:
        """Make the residual blocks."""
        self.blocks = nn.ModuleList(Block(self.config.width) for _ in range(self.config.blocks))

    def layers(self, hidden: Tensor) -> Tensor:
        """The residual blocks: (B, 2h, H, W) -> same."""
        for block in self.blocks:
            hidden = block(hidden)
        return hidden

    def columns(self, start: Tensor) -> Columns:
        """An empty cache for drawing pixel by pixel from ``start`` (n, 1, H, W)."""
        return _BlockColumns(self, start)


class _BlockColumns(Columns):
    """The inputs of the masked 3x3s: of the pixel to the left, and of the row above, summed up."""

    def __init__(self, net: PixelCNN, start: Tensor) -> None:
        super().__init__(net, start)
        blocks = [cast(Block, b) for b in net.blocks]
        n, h, width = len(start), net.config.width, start.shape[-1]
        self.down_and_up = [(pointwise(b.down), pointwise(b.up)) for b in blocks]
        taps = [b.middle.taps() for b in blocks]
        self.kernels = [(*weight.split([3 * h, h, h]), bias) for weight, bias in taps]
        self.blank = start.new_zeros(n, h)
        self.rows = [[self.blank] * width for _ in blocks]  # inputs so far, row by row
        self.parts: list[Sequence[Tensor]] = []

    def begin_row(self, i: int) -> None:
        """Sum up what the row above contributes to every masked 3x3 of this row."""
        super().begin_row(i)
        self.parts = [
            (neighbours(row) @ above + bias).unbind()
            for row, (above, _, _, bias) in zip(self.rows, self.kernels, strict=True)
        ]
        self.rows = [[] for _ in self.rows]

    def layers(self, x: Tensor, j: int) -> Tensor:
        """The column of pixel j after the blocks: (n, 2h) -> (n, 2h)."""
        for k, ((down, down_bias), (up, up_bias)) in enumerate(self.down_and_up):
            inner = torch.addmm(down_bias, x.relu(), down).relu_()
            row, (_, left, itself, _) = self.rows[k], self.kernels[k]
            seen = torch.addmm(self.parts[k][j], inner, itself)
            seen.addmm_(row[-1] if row else self.blank, left).relu_()
            row.append(inner)
            x = torch.addmm(up_bias, seen, up).add_(x)
        return x
