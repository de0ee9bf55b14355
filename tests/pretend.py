"""A GPU for tests on machines that have none: real numbers in a pretended place.

``Pretended("cuda")`` (or ``"mps"``) computes everything on the CPU, but remembers for every storage
on which device it would be, and fails where that device would:

- tensors of two devices in one operation (one without dimensions may be on the CPU);
- random numbers drawn on the device by a generator of another one;
- ``.numpy()`` and ``numpy.asarray`` off the CPU;
- float64 on MPS.

The device has random numbers of its own: what draws from the global generator there (dropout)
leaves the CPU's state alone, and is known by ``torch.cuda.get_rng_state`` (``torch.mps...``) only.

    with Pretended("cuda") as gpu:
        model.to(gpu.device).losses(x.to(gpu.device), y.to(gpu.device), torch.Generator())

Two modes do it: one sees what Python calls (``.device``, ``.to``, ``device=``), one every operation
that torch runs, those of ``backward`` included. Both hold for the calling thread only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

CPU = torch.device("cpu")
COPIES = ("aten::copy_", "aten::_foreach_copy_")  # from any device to that of the first tensor
INDEXED = ("aten::index", "aten::index_put", "aten::index_put_")  # indices may be on the CPU


def place(x: Tensor) -> torch.device:
    """The device on which a tensor pretends to be."""
    if x.layout is not torch.strided:  # packed weights, which only a CPU has
        return CPU
    found: torch.device = getattr(x.untyped_storage(), "pretended", CPU)
    return found


def put(x: Tensor, device: torch.device) -> Tensor:
    """Say that the storage of ``x`` is on this device."""
    _allowed(x, device)
    x.untyped_storage().pretended = device  # type: ignore[attr-defined]
    return x


def _allowed(x: Tensor, device: torch.device) -> None:
    if device.type == "mps" and x.dtype == torch.float64:
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype: MPS doesn't support float64")


class Pretended:
    """A context in which a device of this kind, "cuda" or "mps", seems to be there."""

    def __init__(self, kind: str, bfloat16: bool = True) -> None:
        self.device = torch.device(kind, 0)
        self.random = torch.Generator().manual_seed(1234).get_state()
        self.waits = 0  # how often somebody waited for the device
        self._bfloat16 = bfloat16
        self._open = ExitStack()

    def __enter__(self) -> Pretended:
        patch = self._open.enter_context(pytest.MonkeyPatch.context())
        module = torch.get_device_module(self.device.type)
        patch.setattr(module, "get_rng_state", lambda *device: self.random.clone())
        patch.setattr(module, "set_rng_state", self._set_random)
        patch.setattr(module, "synchronize", self._wait)
        for name in ("manual_seed", "manual_seed_all"):
            patch.setattr(module, name, self._seed, raising=False)
        patch.setattr(torch.cuda, "is_bf16_supported", self._has_bfloat16)
        patch.setattr(torch.backends.mps, "is_macos_or_newer", self._has_bfloat16)
        self._open.enter_context(_Operations(self))
        self._open.enter_context(_Calls(self.device))
        return self

    def __exit__(self, *problem: object) -> None:
        self._open.close()

    def _has_bfloat16(self, *version: int, including_emulation: bool = True) -> bool:
        return self._bfloat16

    def _set_random(self, state: Tensor, *device: object) -> None:
        self.random = state.clone()

    def _seed(self, seed: int) -> None:
        self.random = torch.Generator().manual_seed(seed).get_state()

    def _wait(self, *device: object) -> None:
        self.waits += 1

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """The global random numbers are this device's own meanwhile."""
        outside = torch.default_generator.get_state()
        torch.default_generator.set_state(self.random)
        try:
            yield
        finally:
            self.random = torch.default_generator.get_state()
            torch.default_generator.set_state(outside)


class _Carry(torch.autograd.Function):
    """A copy on another device, whose gradient goes back."""

    @staticmethod
    def forward(ctx, x, device):  # type: ignore[no-untyped-def]
        ctx.source = place(x)
        copy = x.detach().clone()
        return put(copy, device)

    @staticmethod
    def backward(ctx, g):  # type: ignore[no-untyped-def]
        return put(g.detach().clone(), ctx.source), None


class _Calls(TorchFunctionMode):
    """What Python code asks: where a tensor is, and that it be somewhere else."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.gpu = device

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        kwargs = dict(kwargs or {})
        asked = getattr(func, "__name__", "") in ("__get__", "numpy", "__array__", "cpu", "to")
        name = resolve_name(func) if asked else ""  # which takes a while
        if name == "torch.Tensor.device.__get__":
            return place(args[0])
        if name in ("torch.Tensor.is_cuda.__get__", "torch.Tensor.is_mps.__get__"):
            return place(args[0]).type == name.split(".")[2].removeprefix("is_")
        if name in ("torch.Tensor.numpy", "torch.Tensor.__array__") and place(args[0]) != CPU:
            raise TypeError(f"can't convert {place(args[0])} device type tensor to numpy.")
        if name == "torch.Tensor.cpu":
            return self._moved(args[0], [CPU], {})
        if name == "torch.Tensor.to":
            return self._moved(args[0], list(args[1:]), kwargs)
        return self._made(func, args, kwargs)

    def _moved(self, x, given, kwargs):  # type: ignore[no-untyped-def]
        """``x.to(...)``: the number format first, where the tensor is, then the copy."""
        given += [kwargs.pop(name) for name in ("device", "other") if name in kwargs]
        target, dtype = place(x), kwargs.pop("dtype", None) or x.dtype
        for one in given:
            if isinstance(one, Tensor):
                target, dtype = place(one), one.dtype
            elif isinstance(one, torch.device | str):
                target = self._full(one)
            elif isinstance(one, torch.dtype):
                dtype = one
        x = x.to(dtype, **kwargs)
        return x if place(x) == target else _Carry.apply(x, target)

    def _made(self, func, args, kwargs):  # type: ignore[no-untyped-def]
        """Run ``func``; what is made with ``device=`` is put there."""
        if kwargs.get("device") is None or self._full(kwargs["device"]) != self.gpu:
            return func(*args, **kwargs)
        generator = kwargs.get("generator")
        if generator is not None:
            raise _foreign(generator, self.gpu)
        made = func(*args, **{**kwargs, "device": CPU})
        return tree_map_only(Tensor, lambda t: _Carry.apply(t, self.gpu), made)

    def _full(self, given: torch.device | str) -> torch.device:
        device = torch.device(given)
        return self.gpu if device.type == self.gpu.type else device


class _Operations(TorchDispatchMode):
    """Every operation that runs: where its tensors are, and where its result is."""

    def __init__(self, pretended: Pretended) -> None:
        super().__init__()
        self.pretended = pretended

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        kwargs = kwargs or {}
        given = tree_leaves((args, kwargs))
        tensors = [one for one in given if isinstance(one, Tensor)]
        generators = [one for one in given if isinstance(one, torch.Generator)]
        device = self._device(func._schema.name, tensors)
        for generator in generators:
            if generator.device.type != device.type:
                raise _foreign(generator, device)
        if device == CPU:
            return func(*args, **kwargs)
        draws = torch.Tag.nondeterministic_seeded in func.tags and not generators
        with self.pretended.drawing() if draws else nullcontext():
            found = func(*args, **kwargs)
        made = [found] if isinstance(found, Tensor) else tree_leaves(found)
        for one in made:
            if isinstance(one, Tensor) and not hasattr(one.untyped_storage(), "pretended"):
                put(one, device)
        for one in (*made, *tensors):
            if isinstance(one, Tensor):
                _allowed(one, place(one))
        return found

    @staticmethod
    def _device(name: str, tensors: list[Tensor]) -> torch.device:
        """Where an operation runs. Raises RuntimeError where a GPU would refuse."""
        places = set(map(place, tensors))
        if len(places) < 2:
            return places.pop() if places else CPU
        if name in COPIES:
            return place(tensors[0])
        # A number on the CPU may join any device; in an index, whole tensors may.
        free = tensors[1:] if name in INDEXED else [t for t in tensors if t.dim() == 0]
        bound = [t for t in tensors if not (place(t) == CPU and any(t is f for f in free))]
        places = {place(t) for t in bound or tensors}
        if len(places) > 1:
            found = " and ".join(sorted(map(str, places)))
            raise RuntimeError(f"Expected all tensors to be on the same device: {found} in {name}")
        return places.pop()


def _foreign(generator: torch.Generator, device: torch.device) -> RuntimeError:
    return RuntimeError(
        f"Expected a '{device.type}' device type for generator but found '{generator.device.type}'"
    )
