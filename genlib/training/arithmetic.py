"""Which number format and how many threads make a model's steps fastest here, by measuring.

bfloat16 pays on processors and GPUs that have it, a second thread on nets that are large enough.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from genlib import devices
from genlib.data.datasets import to_float
from genlib.models.base import Model
from genlib.settings import TrainSettings

Autocast = Callable[[], AbstractContextManager[object]]


def choose_arithmetic(model: Model, x: Tensor, y: Tensor, settings: TrainSettings) -> Autocast:
    """Set the threads and return the autocast context that the settings ask for.

    "auto" and 0 threads are decided by timing about a second of forward and backward passes; the
    model's weights and the training's random numbers are not touched. Raises ValueError where
    bfloat16 is asked for and the device can't do it.
    """

    def context(kind: str) -> Autocast:
        if kind == "bfloat16":
            return lambda: torch.autocast(x.device.type, dtype=torch.bfloat16)
        return nullcontext

    kinds, counts = _kinds(settings.precision, x.device), _thread_counts(settings.threads, x.device)
    choices = [(kind, count) for kind in kinds for count in counts]
    if len(choices) > 1:
        batch = to_float(x[: settings.batch_size]), y[: settings.batch_size]
        cost = {c: _probe(model, *batch, context(c[0]), c[1]) for c in choices}
        # A narrow win is noise: float32 on one thread is kept unless another is 5 % faster.
        choices = sorted(choices, key=lambda c: cost[c] * (0.95 if c == choices[0] else 1.0))
    torch.set_num_threads(choices[0][1])
    return context(choices[0][0])


def in_use(autocast: Autocast, device: torch.device) -> dict[str, object]:
    """The device, number format and threads that training steps in this context really use."""
    with autocast():
        narrow = torch.is_autocast_enabled(device.type)
        dtype = torch.get_autocast_dtype(device.type) if narrow else torch.float32
    precision = str(dtype).removeprefix("torch.")
    return {"device": device.type, "precision": precision, "threads": torch.get_num_threads()}


def _kinds(precision: str, device: torch.device) -> list[str]:
    """The number formats to choose from."""
    able = devices.has_bfloat16(device)
    if precision == "bfloat16" and not able:
        raise ValueError(
            f"precision bfloat16 is not available on {device.type}; use auto or float32"
        )
    if precision != "auto":
        return [precision]
    return ["float32", "bfloat16"] if able else ["float32"]


def _thread_counts(threads: int, device: torch.device) -> list[int]:
    """The numbers of threads to choose from; with a GPU there is little for them to do."""
    now = torch.get_num_threads() or 1
    if threads or device.type != "cpu":
        return [threads or now]
    return [c for c in (1, 2) if c <= now] or [1]


def _probe(model: Model, x: Tensor, y: Tensor, autocast: Autocast, threads: int) -> float:
    """Seconds of one forward and backward pass: the median of what fits in 0.2 s."""
    torch.set_num_threads(threads)
    rng = torch.Generator().manual_seed(0)
    parameters = [p for p in model.parameters() if p.requires_grad]
    kept = {name: b.clone() for name, b in model.named_buffers()}
    times: list[float] = []
    with devices.same_random(x.device):
        while len(times) < 3 or sum(times) < 0.2:
            devices.wait(x.device)
            began = time.perf_counter()
            with autocast():
                loss = model.losses(x, y, rng)["loss"]
            torch.autograd.grad(loss, parameters, allow_unused=True)
            devices.wait(x.device)
            times.append(time.perf_counter() - began)
    for name, b in model.named_buffers():
        b.copy_(kept[name])  # batch norm's running means
    return sorted(times)[len(times) // 2]
