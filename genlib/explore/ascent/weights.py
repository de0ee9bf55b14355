"""Files of weights: fetched, checked, written atomically, and read as tensors only."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from genlib.files import staged


class WeightsError(ValueError):
    """Weights that cannot be had or used; the message is one sentence for the user."""


def chunks(
    read: Callable[[int], bytes], total: int, progress: Callable[[float], None]
) -> Iterator[bytes]:
    done = 0
    while chunk := read(1 << 20):
        done += len(chunk)
        progress(min(1.0, done / total))
        yield chunk


def write(path: Path, chunks: Iterator[bytes], digest: str = "") -> Path:
    """Write atomically, and only if the SHA-256 begins with ``digest``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sha = hashlib.sha256()
    with staged(path) as new:
        with new.open("wb") as file:
            for chunk in chunks:
                sha.update(chunk)
                file.write(chunk)
        if not sha.hexdigest().startswith(digest):
            raise WeightsError("The download is damaged (wrong checksum): try again.")
    return path


def read(path: Path, digest: str = "") -> dict[str, Tensor]:
    """Tensors by name from a file; nothing else is ever unpickled.

    ``digest``: what its SHA-256 must begin with. Raises WeightsError.
    """
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError):
            raise WeightsError(f"{path.name} is not a readable .safetensors file.") from None
    with path.open("rb") as file:
        if digest and not hashlib.file_digest(file, "sha256").hexdigest().startswith(digest):
            raise WeightsError(f"{path.name} is damaged (wrong checksum): fetch it again.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError):
        raise WeightsError(f"{path.name} is not a file of plain weights.") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path.name} is not a file of plain weights.")
    return state
