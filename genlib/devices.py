"""The device that models run on: CUDA, Apple MPS or the CPU, chosen once.

``GENLIB_DEVICE`` (``cpu``, ``cuda``, ``cuda:1``, ``mps``) overrides the choice. What else differs
between them is here too: their own random numbers, waiting for them, bfloat16.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor

KINDS = ("cpu", "cuda", "mps")


@lru_cache(maxsize=1)
def device() -> torch.device:
    """The device to use. Raises ValueError if ``GENLIB_DEVICE`` names one that can't be used."""
    wish = os.environ.get("GENLIB_DEVICE", "").strip().lower()
    if wish:
        return _wished(wish)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _wished(wish: str) -> torch.device:
    # torch knows devices that hold no numbers ("meta") and others that genlib was never tried on.
    if wish.partition(":")[0] not in KINDS:
        raise ValueError(
            f"GENLIB_DEVICE must be cpu, cuda, cuda:1 (and so on) or mps, got {wish!r}"
        )
    try:
        wished = torch.device(wish)
        torch.zeros(1, device=wished)
    except (RuntimeError, AssertionError):
        raise ValueError(
            f"GENLIB_DEVICE={wish!r} is not a device of this machine; use cpu, cuda or mps"
        ) from None
    return wished


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 can be used at all; a CPU without instructions for it is slow, not unable.

    GPUs that only emulate it count as unable: it would cost time and gain nothing.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type != "mps" or torch.backends.mps.is_macos_or_newer(14, 0)


def wait(device: torch.device) -> None:
    """Return when the device has computed everything asked of it, so that a clock can be read."""
    if device.type != "cpu":
        torch.get_device_module(device).synchronize()


def random_state(device: torch.device) -> Tensor:
    """The state of the global random numbers that are drawn on a device (dropout), as bytes."""
    if device.type == "cpu":
        return torch.get_rng_state()
    state: Tensor = torch.get_device_module(device).get_rng_state(device)
    return state


def set_random_state(device: torch.device, state: Tensor) -> None:
    """Go on from what ``random_state`` gave for a device of the same kind."""
    if device.type == "cpu":
        torch.set_rng_state(state)
    else:
        torch.get_device_module(device).set_rng_state(state, device)


@contextmanager
def same_random(device: torch.device) -> Iterator[None]:
    """Put back, at the end, the global random numbers of the CPU and of a device."""
    places = dict.fromkeys([torch.device("cpu"), device])
    states = [(place, random_state(place)) for place in places]
    try:
        yield
    finally:
        for place, state in states:
            set_random_state(place, state)


def describe() -> str:
    """The device in words, for the page footer: kind, name and threads."""
    chosen = device()
    if chosen.type == "cuda":
        return f"GPU · {torch.cuda.get_device_name(chosen)}"
    if chosen.type == "mps":
        return "GPU · Apple MPS"
    machine = platform.machine() or "unknown processor"
    return f"CPU · {machine}, {os.cpu_count()} cores"
