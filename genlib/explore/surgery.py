"""Private copies of networks, and what is done to them so that looking through them is quick."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlib.explore.conv import FrozenConv
from genlib.models.base import Classifies

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
