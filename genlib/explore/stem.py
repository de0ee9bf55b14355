"""A convolution over few input channels with a faster gradient for its input.

The gradient of a strided convolution with 3 input channels is the slowest single operation of
class visualization on a CPU: libraries are tuned for many channels. For stride s the pixels of one
phase (y mod s, x mod s) depend on the output through a plain stride-1 convolution, so all s * s
phases together are one convolution with C * s * s output channels:

    pixels    0 1 0 1 0 1        phase 0: even rows, phase 1: odd rows (s = 2)
    output     . . .             pixel y = s * i + phase reads outputs i + d, d = low .. high
                                 with kernel row k = phase + padding - s * d
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LANES = 16  # float32 numbers in one AVX-512 register: channels are filled up to a multiple


class Stem(nn.Module):
    """Computes what the given Conv2d computes, exactly; its weights must be frozen."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv
        self.stride, self.padding = conv.stride[0], int(conv.padding[0])
        weight = conv.weight.detach()
        self.low = -((weight.shape[-1] - 1 - self.padding) // self.stride)
        self.high = (self.stride - 1 + self.padding) // self.stride
        self.phases: Tensor
        self.register_buffer("phases", self._phases(weight), persistent=False)

    @staticmethod
    def fits(conv: nn.Conv2d) -> bool:
        """Whether a convolution is square, undilated, ungrouped and has 2 to 4 input channels."""
        square = all(len(set(p)) == 1 for p in (conv.kernel_size, conv.stride, conv.dilation))
        plain = conv.groups == 1 and conv.dilation[0] == 1 and conv.padding_mode == "zeros"
        same = not isinstance(conv.padding, str) and len(set(conv.padding)) == 1
        return square and plain and same and 2 <= conv.in_channels <= 4

    def _phases(self, weight: Tensor) -> Tensor:
        """(O, C, k, k) -> (C * s * s filled up to LANES, O, taps, taps)."""
        out, channels, size, _ = weight.shape
        s, taps = self.stride, self.high - self.low + 1
        phases = weight.new_zeros(s, s, channels, out, taps, taps)
        for py in range(s):
            for px in range(s):
                for dy in range(taps):
                    for dx in range(taps):
                        ky = py + self.padding - s * (dy + self.low)
                        kx = px + self.padding - s * (dx + self.low)
                        if 0 <= ky < size and 0 <= kx < size:
                            phases[py, px, :, :, dy, dx] = weight[:, :, ky, kx].t()
        flat = phases.reshape(s * s * channels, out, taps, taps)
        return torch.cat([flat, flat.new_zeros(-len(flat) % LANES, *flat.shape[1:])])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, O, H', W')."""
        result: Tensor = _Convolution.apply(x, self)
        return result

    def gradient(self, g: Tensor, shape: torch.Size) -> Tensor:
        """The gradient of the input from that of the output: (B, O, H', W') -> (B, C, H, W)."""
        batch, channels, height, width = shape
        s = self.stride
        rows, columns = -(-height // s), -(-width // s)
        below = rows - 1 + self.high - (g.shape[-2] - 1)
        right = columns - 1 + self.high - (g.shape[-1] - 1)
        padded = F.pad(g, (-self.low, right, -self.low, below))
        padded = padded.contiguous(memory_format=torch.channels_last)
        x = F.conv2d(padded, self.phases)[:, : s * s * channels]
        x = x.reshape(batch, s, s, channels, rows, columns).permute(0, 3, 4, 1, 5, 2)
        return x.reshape(batch, channels, rows * s, columns * s)[:, :, :height, :width]


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, stem: Stem) -> Tensor:
        ctx.stem, ctx.shape = stem, x.shape  # type: ignore[attr-defined]
        return stem.conv(x)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, g: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return ctx.stem.gradient(g, ctx.shape), None  # type: ignore[attr-defined]
