"""PixelRNN with row LSTMs: a recurrent state runs down the image, a row at a time.

Source: van den Oord, Kalchbrenner & Kavukcuoglu 2016, arXiv:1601.06759, section 3.1. With x_i the
features of row i, h and c the states, * a convolution along the row, and K^is masked (type B):

    o, f, i, g = sigmoid, sigmoid, sigmoid, tanh of (K^ss * h_{i-1} + K^is * x_i)
    c_i = f c_{i-1} + i g,     h_i = o tanh(c_i),     output = x + 1x1(h)

    o o o o o     the state at x sees the triangle above it, all the way up, which no stack of
      o o o       a few convolutions can
      o x

Simplified: one channel, binary pixels, few layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib.models.autoregressive import (
    AutoregressiveModel,
    AutoregressiveSettings,
    Columns,
    neighbours,
    pointwise,
)
from genlib.settings import setting


@dataclass(frozen=True)
class PixelRNNSettings(AutoregressiveSettings):
    """Sizes of a PixelRNN."""

    width: int = setting(16, 4, 256, "Features h of a state; 2h between layers.")
    layers: int = setting(2, 1, 12, "Row LSTM layers.")


class RowLSTM(nn.Module):
    """x + 1x1(states of an LSTM that runs down the rows)."""

    def __init__(self, h: int) -> None:
        super().__init__()
        self.of_input = nn.Conv2d(2 * h, 4 * h, (1, 2))  # 1x3 type B: its right tap is not stored
        self.of_state = nn.Conv1d(h, 4 * h, 3, bias=False)
        self.up = nn.Conv2d(h, 2 * h, 1)
        with torch.no_grad():
            assert self.of_input.bias is not None
            self.of_input.bias[h : 2 * h] += 1  # remember at first (Jozefowicz et al. 2015)

    def matrices(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(c, 4h) of the input to the left, of the input, of three states above; and the bias."""
        left, itself = self.of_input.weight[:, :, 0].unbind(2)
        of_state = self.of_state.weight.transpose(1, 2).flatten(1)
        assert self.of_input.bias is not None
        kernels = [w.t().contiguous() for w in (left, itself, of_state)]
        return kernels[0], kernels[1], kernels[2], self.of_input.bias

    def forward(self, x: Tensor) -> Tensor:
        gates = self.of_input(F.pad(x, (1, 0)))
        # (H, 4h, W, B): gates and taps are whole blocks of memory, each row is one matrix product.
        rows = gates.permute(2, 1, 3, 0).contiguous().unbind(0)
        kernel = self.of_state.weight.transpose(1, 2).flatten(1)  # (4h, 3 * h)
        states = scan_rows(rows, kernel)
        return x + self.up(states.permute(3, 1, 0, 2))


def scan_rows(rows: tuple[Tensor, ...], kernel: Tensor) -> Tensor:
    """Run the LSTM down the rows: H of (4h, W, B), kernel (4h, 3h) -> states (H, h, W, B)."""
    features, width, batch = rows[0].shape
    h = features // 4
    state = rows[0].new_zeros(h, width, batch)
    cell = torch.zeros_like(state)
    states = []
    for row in rows:
        padded = F.pad(state, (0, 0, 1, 1))
        taps = torch.cat([padded[:, t : t + width] for t in range(3)]).flatten(1)
        gates = torch.addmm(row.flatten(1), kernel, taps).view(4 * h, width, batch)
        o, f, i = gates[: 3 * h].sigmoid().chunk(3)
        cell = torch.addcmul(f * cell, i, gates[3 * h :].tanh())
        state = o * cell.tanh()
        states.append(state)
    return torch.stack(states)


class PixelRNN(AutoregressiveModel):
    """Mask A 7x7, row LSTMs, two 1x1: one logit a pixel. Energy: exact -log p(x) in nats."""

    family = "pixelrnn"
    title = "PixelRNN"
    source = "Slides “Generative taxonomy”; van den Oord et al. 2016"
    Config = PixelRNNSettings
    config: PixelRNNSettings
    defaults: ClassVar[dict[str, object]] = {
        "epochs": 4,
        "lr": 3e-3,
        "batch_size": 16,
        "schedule": "cosine",
    }

    def add_between(self) -> None:
        """Make the row LSTMs."""
        self.rows = nn.ModuleList(RowLSTM(self.config.width) for _ in range(self.config.layers))

    def layers(self, hidden: Tensor) -> Tensor:
        """The row LSTMs: (B, 2h, H, W) -> same."""
        for layer in self.rows:
            hidden = layer(hidden)
        return hidden

    def columns(self, start: Tensor) -> Columns:
        """An empty cache for drawing pixel by pixel from ``start`` (n, 1, H, W)."""
        return _RowColumns(self, start)


class _RowColumns(Columns):
    """States of this row, what those of the row above contribute, inputs of the pixel left."""

    def __init__(self, net: PixelRNN, start: Tensor) -> None:
        super().__init__(net, start)
        layers = [cast(RowLSTM, layer) for layer in net.rows]
        width = start.shape[-1]
        h = self.h = net.config.width
        blank = start.new_zeros(len(start), h)
        self.outside = start.new_zeros(len(start), 2 * h)
        self.weights = [layer.matrices() for layer in layers]
        self.ups = [pointwise(layer.up) for layer in layers]
        self.states = [[blank] * width for _ in layers]
        self.cells = [[blank] * width for _ in layers]
        self.left = [self.outside for _ in layers]
        self.parts: list[Sequence[Tensor]] = []

    def begin_row(self, i: int) -> None:
        """Sum up what the states above contribute to the gates of this row."""
        super().begin_row(i)
        self.parts = [
            (neighbours(row) @ of_state + bias).unbind()
            for row, (_, _, of_state, bias) in zip(self.states, self.weights, strict=True)
        ]
        self.states = [[] for _ in self.states]
        self.left = [self.outside for _ in self.left]

    def layers(self, x: Tensor, j: int) -> Tensor:
        """The column of pixel j after the row LSTMs: (n, 2h) -> (n, 2h)."""
        h = self.h
        for k, (left, itself, _, _) in enumerate(self.weights):
            gates = torch.addmm(self.parts[k][j], x, itself).addmm_(self.left[k], left)
            o, f, i = gates[:, : 3 * h].sigmoid().split(h, 1)
            # The cell of the row above is not needed again: its place takes the new one.
            cell = torch.addcmul(f * self.cells[k][j], i, gates[:, 3 * h :].tanh())
            state = o * cell.tanh()
            self.cells[k][j], self.left[k] = cell, x
            self.states[k].append(state)
            up, bias = self.ups[k]
            x = torch.addmm(bias, state, up).add_(x)
        return x
