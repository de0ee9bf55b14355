"""A classifier made ready for looking through it: only the gradient of its input is wanted.

The lecture's skeleton calls ``model.backward``, which also computes the gradient of every weight
and throws it away. A ``Lens`` is a private copy of a network with frozen weights, batch norms
folded into the convolutions before them, weights in channels_last order, a faster gradient of the
first convolution, and in bfloat16 where a short trial says that this pays. The network it was made
from is never touched, so it can be shared; a ``view`` shares the lens's weights but has modules of
its own, so that two threads can put hooks on them at once.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlib.explore.stem import Stem
from genlib.models.base import Classifies

DEAD_ENDS = (nn.Identity, nn.Dropout, nn.Flatten)


@dataclass(frozen=True)
class Network:
    """A classifier with what must be known to show pictures to it.

    shape: (C, H, W) it was made for; mean, std: per channel, of pictures in [0, 1], subtracted
    and divided first; trained: False for random weights; smallest: shortest side it accepts.
    """

    name: str
    title: str
    module: nn.Module
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    trained: bool = True
    smallest: int = 8


@dataclass(frozen=True)
class Layer:
    """A layer that can be asked for by name; size at the network's own picture size."""

    name: str
    kind: str
    channels: int
    height: int
    width: int


class _Reached(Exception):
    """Stops a forward pass at the layer asked for; caught in ``tapped``."""


@contextmanager
def tapped(module: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """Collect a layer's output and stop the forward pass there; the hook goes in every case.

    Raises ValueError if there is no such layer.
    """
    seen: list[Tensor] = []

    def stop(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        seen.append(output)
        raise _Reached

    try:
        handle = module.get_submodule(layer).register_forward_hook(stop)
    except AttributeError:
        raise ValueError(f"layer must be one of the network's layers, got {layer!r}") from None
    try:
        yield seen
    except _Reached:
        pass
    finally:
        handle.remove()


class _LastRelu(torch.overrides.TorchFunctionMode):
    """Remembers what went into the last ReLU of a forward pass, whatever module called it."""

    value: Tensor | None = None

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        if func in (torch.relu, torch.nn.functional.relu, torch.relu_):
            self.value = args[0].clone()  # cloned: an in-place ReLU would overwrite it
            return torch.relu(self.value)
        return func(*args, **(kwargs or {}))


class Lens:
    """A frozen, private copy of a network. Pictures are float32 (B, C, H, W) in [0, 1]."""

    def __init__(self, network: Network, device: torch.device, dtype: torch.dtype) -> None:
        self.network, self.device, self.dtype = network, device, dtype
        module = _copy(network.module).eval().requires_grad_(False)
        example = torch.zeros(1, *network.shape, device=next(module.parameters()).device)
        folded = _fold(module, example)
        self.layers = _layers(module, example, folded)
        if device.type == "cpu" and dtype == torch.float32:
            _replace_stem(module)
        self.module = module.to(device, dtype).to(memory_format=torch.channels_last)
        shape = (1, -1, 1, 1)
        self.mean = torch.tensor(network.mean, device=device).view(shape)
        self.std = torch.tensor(network.std, device=device).view(shape)
        self._plain = not any(network.mean) and all(s == 1 for s in network.std)

    def view(self) -> Lens:
        """The same lens with modules of its own and shared weights, for one thread."""
        other = copy.copy(self)
        other.module = _copy(self.module)
        return other

    def scores(self, x: Tensor) -> Tensor:
        """Class scores before the softmax, float32: (B, C, H, W) -> (B, K)."""
        return self._call(self._input(x)).float()

    def activation(self, x: Tensor, layer: str) -> Tensor:
        """Output of a named layer, float32; nothing after it is computed."""
        with tapped(self.module, layer) as seen:
            self._call(self._input(x))
        if not seen:
            raise ValueError(f"layer {layer!r} takes no part in this network's forward pass")
        return seen[0].float()

    def before_relu(self, x: Tensor, layer: str) -> tuple[Tensor, Tensor | None]:
        """The scores (layer "") or a layer's output, and what went into the last ReLU so far."""
        with _LastRelu() as mode:
            out = self.activation(x, layer) if layer else self.scores(x)
        return out, None if mode.value is None else mode.value.float()

    def _input(self, x: Tensor) -> Tensor:
        if not self._plain:
            x = (x - self.mean) / self.std
        return x.to(self.dtype, memory_format=torch.channels_last)

    def _call(self, x: Tensor) -> Tensor:
        return self.module.logits(x) if isinstance(self.module, Classifies) else self.module(x)


def lens(network: Network, device: torch.device, batch: int = 1) -> Lens:
    """Make a lens in the number format that a short trial finds faster on this device."""
    full = Lens(network, device, torch.float32)
    if not _has_bfloat16(device):
        return full
    half = Lens(network, device, torch.bfloat16)
    return half if _seconds(half, batch) < 0.9 * _seconds(full, batch) else full


def _has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 has instructions of its own; emulated it is several times slower."""
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def _seconds(trial: Lens, batch: int, rounds: int = 3) -> float:
    """Best time of a forward and backward pass, after one to warm up."""
    x = torch.rand(batch, *trial.network.shape, device=trial.device)
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(trial.scores(leaf).sum(), leaf)
        gradient.sum().item()  # waits for the device
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _copy(module: nn.Module) -> nn.Module:
    """A copy of the module tree that shares every weight, without any hooks."""
    shared = {id(t): t for t in (*module.parameters(), *module.buffers())}
    twin = copy.deepcopy(module, dict(shared))
    for part in twin.modules():
        part._forward_hooks.clear()
        part._forward_pre_hooks.clear()
    return twin


def _fold(module: nn.Module, example: Tensor) -> set[str]:
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
            _forward(module, example)
    finally:
        for handle in handles:
            handle.remove()
    for conv, norm in pairs:
        fused = torch.nn.utils.fusion.fuse_conv_bn_eval(conv, norm).requires_grad_(False)
        conv.weight, conv.bias = fused.weight, fused.bias
        parent, _, child = names[norm].rpartition(".")
        setattr(module.get_submodule(parent), child, nn.Identity())
    return {names[conv] for conv, _ in pairs}


def _layers(module: nn.Module, example: Tensor, folded: set[str]) -> tuple[Layer, ...]:
    """Layers that give images, in the order of computation; a block stands for its last part."""
    found: list[tuple[str, nn.Module, Tensor]] = []
    handles = [
        part.register_forward_hook(lambda m, _i, out, name=name: found.append((name, m, out)))
        for name, part in module.named_modules()
        if name and name not in folded and not isinstance(part, DEAD_ENDS)
    ]
    try:
        with torch.no_grad():
            _forward(module, example)
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


def _forward(module: nn.Module, x: Tensor) -> Tensor:
    return module.logits(x) if isinstance(module, Classifies) else module(x)


def _replace_stem(module: nn.Module) -> None:
    """Give the first convolution over colours a faster gradient, if it is of the plain kind."""
    for name, part in module.named_modules():
        if isinstance(part, nn.Conv2d):
            if Stem.fits(part):
                parent, _, child = name.rpartition(".")
                setattr(module.get_submodule(parent), child, Stem(part))
            return
