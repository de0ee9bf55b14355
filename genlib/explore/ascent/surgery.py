"""Private copies of networks, and what is done to them so that looking through them is quick.

Of a convolution only the gradient of its input is wanted. That gradient is itself a convolution,
with mirrored weights. For stride s the pixels of one phase (y mod s, x mod s) depend on the output
through a plain stride-1 convolution, so all s * s phases together are one convolution with
C * s * s output channels:

    pixels    0 1 0 1 0 1        phase 0: even rows, phase 1: odd rows (s = 2)
    output     . . .             pixel y = s * i + phase reads outputs i + d, d = low .. high
                                 with kernel row k = phase + padding - s * d

So both directions are forward convolutions with weights that never change, which may be put into
the order that oneDNN wants once, instead of at every step as for weights that are trained. For 3
input channels, where libraries' own gradient is slowest, it saves most.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib.models.capabilities import Classifies

DEAD_ENDS = (nn.Identity, nn.Dropout, nn.Flatten)


@dataclass(frozen=True)
class Layer:
    """A layer that can be asked for by name; size at the network's own picture size."""

    name: str
    kind: str
    channels: int
    height: int
    width: int


def twin_of(module: nn.Module) -> nn.Module:
    """A copy of the module tree that shares every weight, without any hooks.

    Only to run it: ``.to()`` or ``.requires_grad_()`` on a twin change the original too.
    """
    return _copy(module, {id(t): t for t in (*module.parameters(), *module.buffers())})


def private_copy(
    module: nn.Module,
    device: torch.device,
    dtype: torch.dtype | None = None,
    layout: torch.memory_format = torch.preserve_format,
) -> nn.Module:
    """A frozen copy with parameters of its own, without hooks; the original stays as it is.

    A weight shares the original's memory only where device, dtype and layout stay the same.
    ``dtype`` is for floating-point weights, ``layout`` for those of convolutions.
    """

    def turned(tensor: Tensor) -> Tensor:
        to = dtype if tensor.is_floating_point() else None
        order = layout if tensor.dim() == 4 else torch.preserve_format
        return tensor.detach().to(device, to or tensor.dtype, memory_format=order)

    own: dict[int, Tensor] = {id(b): turned(b) for b in module.buffers()}
    own |= {id(p): nn.Parameter(turned(p), requires_grad=False) for p in module.parameters()}
    return _copy(module, own)


def _copy(module: nn.Module, tensors: dict[int, Tensor]) -> nn.Module:
    """A copy of the module tree with these tensors in place of its own (by id), without hooks."""
    twin = copy.deepcopy(module, dict(tensors))
    for part in twin.modules():
        part._forward_hooks.clear()
        part._forward_pre_hooks.clear()
    return twin


def fold_norms(module: nn.Module, example: Tensor) -> set[str]:
    """Fold every batch norm into the convolution whose output it reads; names of those.

    Pairs are found by running once: a batch norm whose input *is* a convolution's output.
    """
    names = {part: name for name, part in module.named_modules()}
    made: dict[int, tuple[nn.Conv2d, Tensor]] = {}  # keeps outputs alive, so that ids stay unique
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []

    def note(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(part, nn.Conv2d):
            made[id(output)] = (part, output)
        elif isinstance(part, nn.BatchNorm2d) and id(inputs[0]) in made:
            pairs.append((made[id(inputs[0])][0], part))

    handles = [part.register_forward_hook(note) for part in names]
    try:
        with torch.no_grad():
            forward(module, example)
    finally:
        for handle in handles:
            handle.remove()
    for conv, norm in pairs:
        fused = torch.nn.utils.fusion.fuse_conv_bn_eval(conv, norm).requires_grad_(False)
        conv.weight, conv.bias = fused.weight, fused.bias
        parent, _, child = names[norm].rpartition(".")
        setattr(module.get_submodule(parent), child, nn.Identity())
    return {names[conv] for conv, _ in pairs}


def list_layers(module: nn.Module, example: Tensor, folded: set[str]) -> tuple[Layer, ...]:
    """Layers that give images, in the order of computation; a block stands for its last part."""
    found: list[tuple[str, nn.Module, Tensor]] = []
    handles = [
        part.register_forward_hook(lambda m, _i, out, name=name: found.append((name, m, out)))
        for name, part in module.named_modules()
        if name and name not in folded and not isinstance(part, DEAD_ENDS)
    ]
    try:
        with torch.no_grad():
            forward(module, example)
    finally:
        for handle in handles:
            handle.remove()
    calls = [name for name, _, _ in found]
    outputs = {id(out): name for name, _, out in found}  # the last, outermost, name of an output
    return tuple(
        Layer(name, type(part).__name__, *out.shape[1:])
        for name, part, out in found
        if isinstance(out, Tensor) and out.dim() == 4 and out.shape[-1] > 1
        if calls.count(name) == 1 and not name.startswith(outputs[id(out)] + ".")
    )


def forward(module: nn.Module, x: Tensor) -> Tensor:
    return module.logits(x) if isinstance(module, Classifies) else module(x)


def smallest_side(look: Callable[[Tensor], Tensor], example: Tensor, low: int, high: int) -> int:
    """Shortest side from ``low`` to ``high`` of square pictures that ``look`` can compute.

    ``example``: (1, C, 1, 1). Assumes that what takes a picture takes larger ones up to ``high``,
    which is taken for granted.
    """

    def fits(side: int) -> bool:
        try:
            with torch.no_grad():
                look(example.expand(-1, -1, side, side))
        except RuntimeError:  # a pooling or dense layer gets nothing, or the wrong number
            return False
        return True

    if low >= high or fits(low):
        return min(low, high)
    while high - low > 1:  # low fails, high fits
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def freeze_convolutions(module: nn.Module, example: Tensor) -> None:
    """Replace the convolutions by ones whose input gradient is quick; CPU and float32 only."""
    shapes: dict[nn.Module, torch.Size] = {}
    names = {part: name for name, part in module.named_modules() if isinstance(part, nn.Conv2d)}

    def note(part: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        shapes[part] = inputs[0].shape

    handles = [part.register_forward_pre_hook(note) for part in names]
    try:
        with torch.no_grad():
            forward(module, example)
    finally:
        for handle in handles:
            handle.remove()
    for part, shape in shapes.items():
        if isinstance(part, nn.Conv2d) and FrozenConv.fits(part):
            parent, _, child = names[part].rpartition(".")
            setattr(module.get_submodule(parent), child, FrozenConv(part, shape))


LANES = 16  # float32 numbers in one AVX-512 register: channels are filled up to a multiple


class Weights:
    """Frozen weights of one convolution, packed for oneDNN where this build can; shared by copies.

    Packing is what torch.compile does for frozen weights on a CPU; its operators are not part of
    torch's documented interface, so without them a plain convolution is made.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, stride: int) -> None:
        self.weight = weight.detach().contiguous(memory_format=torch.channels_last)
        self.bias, self.stride, self.packed = bias, stride, False

    def pack(self, shape: tuple[int, ...], padding: int) -> None:
        """Put the weights into the best order for inputs of about this shape."""
        if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops, "mkldnn"):
            return
        try:
            self.weight = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight, [padding] * 2, [self.stride] * 2, [1, 1], 1, list(shape)
            )
            self.packed = True
        except (RuntimeError, AttributeError):
            self.packed = False  # this build has no such operator

    def __call__(self, x: Tensor, padding: int) -> Tensor:
        """(B, C, H, W) -> (B, O, H', W')."""
        s, p = self.stride, padding
        if not self.packed:
            return F.conv2d(x, self.weight, self.bias, s, p)
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, [p, p], [s, s], [1, 1], 1, "none", [], ""
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
