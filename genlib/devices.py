"""The device that models run on: CUDA, Apple MPS or the CPU, chosen once.

``GENLIB_DEVICE`` (``cpu``, ``cuda``, ``cuda:1``, ``mps``) overrides the choice.
"""

from __future__ import annotations

import os
import platform
from functools import lru_cache

import torch


@lru_cache(maxsize=1)
def device() -> torch.device:
    """The device to use. Raises ValueError if ``GENLIB_DEVICE`` names none that is here."""
    wish = os.environ.get("GENLIB_DEVICE", "").strip()
    if wish:
        return _wished(wish)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _wished(wish: str) -> torch.device:
    try:
        wished = torch.device(wish)
        torch.zeros(1, device=wished)
    except (RuntimeError, AssertionError):
        raise ValueError(
            f"GENLIB_DEVICE={wish!r} is not a device of this machine; use cpu, cuda or mps"
        ) from None
    return wished


def describe() -> str:
    """The device in words, for the page footer: kind, name and threads."""
    chosen = device()
    if chosen.type == "cuda":
        return f"GPU · {torch.cuda.get_device_name(chosen)}"
    if chosen.type == "mps":
        return "GPU · Apple MPS"
    machine = platform.machine() or "unknown processor"
    return f"CPU · {machine}, {os.cpu_count()} cores"
