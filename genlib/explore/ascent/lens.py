"""A classifier made ready for looking through it: only the gradient of its input is wanted.

The lecture's skeleton calls ``model.backward``, which also computes the gradient of every weight
and throws it away. A ``Lens`` is a private copy of a network with frozen weights, batch norms
folded into the convolutions before them, convolutions whose input gradient is quick (``conv.py``),
weights in channels_last order, and in bfloat16 where a short trial says that this pays
(``GENLIB_PRECISION`` decides without one). The network it was made from is never touched, so it can
be shared: a weight that is moved, cast or laid out otherwise is copied first. A ``view`` shares the
lens's weights but has modules of its own, so that two threads can put hooks on them at once.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from genlib import environment
from genlib.explore.ascent.surgery import (
    fold_norms,
    forward,
    freeze_convolutions,
    list_layers,
    private_copy,
    smallest_side,
    twin_of,
)

REMEMBERED = 16  # measurements
FORMATS: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Network:
    """A classifier with what must be known to show pictures to it.

    shape: (C, H, W) it was made for; mean, std: per channel, of pictures in [0, 1], subtracted
    and divided first; trained: False for random weights; smallest: shortest side worth showing
    (``Lens.smallest`` knows which it can take); base: the colour, per channel, that a blank start
    has and that L2 pulls to, () for the mean; stamp: another one once the weights have changed.
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
    base: tuple[float, ...] = ()
    stamp: str = ""


class _Reached(Exception):
    """Stops a forward pass at the layer asked for; caught in ``tapped``."""


@contextmanager
def tapped(module: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """Collect a layer's output and stop the forward pass there; the hook goes in every case.

    Raises ValueError for an unknown layer.
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

    def __init__(
        self, network: Network, device: torch.device, dtype: torch.dtype, batch: int = 1
    ) -> None:
        """``batch``: how many pictures to make it quick for; any number works."""
        self.device, self.dtype = device, dtype
        last = environment.channels_last(device.type)
        self._layout = torch.channels_last if last else torch.contiguous_format
        module = private_copy(network.module, device).eval()
        example = torch.zeros(1, *network.shape, device=device)
        folded = fold_norms(module, example)
        self.layers = list_layers(module, example, folded)
        self.module = private_copy(module, device, dtype, self._layout)
        # With the lens's own weights: the others may be forgotten, and aren't kept twice.
        self.network = replace(network, module=self.module)
        if device.type == "cpu" and dtype == torch.float32:
            freeze_convolutions(self.module, example.repeat(batch, 1, 1, 1))
        shape = (1, -1, 1, 1)
        self.mean = torch.tensor(network.mean, device=device).view(shape)
        self.std = torch.tensor(network.std, device=device).view(shape)
        self.base = torch.tensor(network.base or network.mean, device=device).view(shape)
        self._plain = not any(network.mean) and all(s == 1 for s in network.std)
        self._smallest: dict[str, int] = {}
        self._measured: dict[Hashable, tuple[Tensor, Tensor]] = {}
        self.of: Lens | None = None  # whose view this is: it lives as long as its views

    def view(self) -> Lens:
        """The same lens with modules of its own and shared weights, for one thread."""
        other = copy.copy(self)
        other.module = twin_of(self.module)
        other.of = self.of or self
        return other

    def smallest(self, layer: str = "") -> int:
        """Shortest side of pictures whose scores (or whose layer) this network can compute.

        At least the network's ``smallest``, at most the side it was made for: a dense layer behind
        flattened pictures takes one size only, and layers before it smaller ones.
        """
        if layer not in self._smallest:
            view = self.view()  # other threads put hooks on their own views only
            look = (lambda x: view.activation(x, layer)) if layer else view.scores
            channels, *sides = self.network.shape
            example = torch.zeros(1, channels, 1, 1, device=self.device)
            self._smallest[layer] = smallest_side(look, example, self.network.smallest, min(sides))
        return self._smallest[layer]

    def remember(
        self, key: Hashable, measure: Callable[[], tuple[Tensor, Tensor]]
    ) -> tuple[Tensor, Tensor]:
        """What ``measure`` said when it was asked with this key, in this lens or a view of it."""
        found = self._measured.get(key)
        if found is None:
            if len(self._measured) >= REMEMBERED:
                self._measured.clear()
            found = self._measured[key] = measure()
        return found

    def scores(self, x: Tensor) -> Tensor:
        """Class scores before the softmax, float32: (B, C, H, W) -> (B, K)."""
        return forward(self.module, self._input(x)).float()

    def activation(self, x: Tensor, layer: str) -> Tensor:
        """Output of a named layer, float32; nothing after it is computed."""
        with tapped(self.module, layer) as seen:
            forward(self.module, self._input(x))
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
        return x.to(self.dtype, memory_format=self._layout)


def lens(network: Network, device: torch.device, batch: int = 1) -> Lens:
    """Make a lens in the format that ``GENLIB_PRECISION`` names, else in the faster by a trial.

    Raises ValueError where ``GENLIB_PRECISION`` has a bad value.
    """
    if (wish := environment.precision()) in FORMATS:
        return Lens(network, device, FORMATS[wish], batch)
    full = Lens(network, device, torch.float32, batch)
    if not _has_bfloat16(device):
        return full
    half = Lens(network, device, torch.bfloat16, batch)
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
