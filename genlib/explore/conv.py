"""A convolution made for looking back through it: only the gradient of its input is wanted.

That gradient is itself a convolution, with mirrored weights. For stride s the pixels of one phase
(y mod s, x mod s) depend on the output through a plain stride-1 convolution, so all s * s phases
together are one convolution with C * s * s output channels:

    pixels    0 1 0 1 0 1        phase 0: even rows, phase 1: odd rows (s = 2)
    output     . . .             pixel y = s * i + phase reads outputs i + d, d = low .. high
                                 with kernel row k = phase + padding - s * d

So both directions are forward convolutions with weights that never change, which may be put into
the order that oneDNN wants once, instead of at every step as for weights that are trained. For 3
input channels, where libraries' own gradient is slowest, it saves most.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LANES = 16  # float32 numbers in one AVX-512 register: channels are filled up to a multiple


class Weights:
    """Frozen weights of one convolution, packed for oneDNN where this build can; shared by copies.

    Packing is what torch.compile does for frozen weights on a CPU; its operators are not part of
    torch's documented interface, so without them a plain convolution is made.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, stride: int) -> None:
        self.plain = weight.detach().contiguous(memory_format=torch.channels_last)
        self.bias, self.stride = bias, stride
        self.packed: Tensor | None = None

    def pack(self, shape: tuple[int, ...], padding: int) -> None:
        """Put the weights into the best order for inputs of about this shape."""
        if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops, "mkldnn"):
            return
        try:
            self.packed = torch.ops.mkldnn._reorder_convolution_weight(
                self.plain, [padding] * 2, [self.stride] * 2, [1, 1], 1, list(shape)
            )
        except (RuntimeError, AttributeError):
            self.packed = None  # this build has no such operator

    def __call__(self, x: Tensor, padding: int) -> Tensor:
        """(B, C, H, W) -> (B, O, H', W')."""
        s, p = self.stride, padding
        if self.packed is None:
            return F.conv2d(x, self.plain, self.bias, s, p)
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.packed, self.bias, [p, p], [s, s], [1, 1], 1, "none", [], ""
        )
        return result

    def __deepcopy__(self, memo: dict[int, object]) -> Weights:
        return self


class FrozenConv(nn.Module):
    """Computes what the given Conv2d computes, up to rounding, on a CPU in float32."""

    def __init__(self, conv: nn.Conv2d, shape: torch.Size) -> None:
        """``shape``: of the inputs to expect, (B, C, H, W); others work too."""
        super().__init__()
        stride, padding = conv.stride[0], int(conv.padding[0])
        weight = conv.weight.detach()
        bias = None if conv.bias is None else conv.bias.detach()
        self.stride, self.padding = stride, padding
        self.low = -((weight.shape[-1] - 1 - padding) // stride)
        self.high = (stride - 1 + padding) // stride
        self.forwards = Weights(weight, bias, stride)
        self.forwards.pack(tuple(shape), padding)
        self.backwards = Weights(self._phases(weight), None, 1)
        rows, columns = -(-shape[-2] // stride), -(-shape[-1] // stride)
        self.backwards.pack((shape[0], weight.shape[0], rows, columns), -self.low)

    @staticmethod
    def fits(conv: nn.Conv2d) -> bool:
        """Whether a convolution is square, undilated, ungrouped and wider than its stride."""
        square = all(len(set(p)) == 1 for p in (conv.kernel_size, conv.stride, conv.dilation))
        plain = conv.groups == 1 and conv.dilation[0] == 1 and conv.padding_mode == "zeros"
        same = not isinstance(conv.padding, str) and len(set(conv.padding)) == 1
        return square and plain and same and conv.kernel_size[0] >= conv.stride[0]

    def _phases(self, weight: Tensor) -> Tensor:
        """(O, C, k, k) -> (C * s * s, few channels filled up to LANES; O, taps, taps)."""
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
        # Outputs that a phase would read beyond the edge are zeros: padding, the same on all sides
        # because that costs no copy; rows and columns too many are cut off.
        below = rows + self.high - g.shape[-2]
        right = columns + self.high - g.shape[-1]
        padding = max(-self.low, below, right)
        at = padding + self.low
        x = self.backwards(g.contiguous(memory_format=torch.channels_last), padding)
        x = x[:, : s * s * channels, at : at + rows, at : at + columns]
        if s == 1:
            return x
        x = x.reshape(batch, s, s, channels, rows, columns).permute(0, 3, 4, 1, 5, 2)
        return x.reshape(batch, channels, rows * s, columns * s)[:, :, :height, :width]


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, conv: FrozenConv) -> Tensor:
        ctx.conv, ctx.shape = conv, x.shape  # type: ignore[attr-defined]
        return conv.forwards(x, conv.padding)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, g: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return ctx.conv.gradient(g, ctx.shape), None  # type: ignore[attr-defined]
