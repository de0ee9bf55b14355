"""Safetensors files with a JSON description, written atomically and checked on reading."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.files import write_bytes

if TYPE_CHECKING:
    from torch import Tensor

MAX_HEADER = 4_000_000  # bytes; safetensors itself allows 100 MB


class CheckpointError(ValueError):
    """A file is not a checkpoint that can be used; the message is one sentence for the user."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, object]) -> None:
    """Write tensors and a JSON header atomically; the folder is made if need be."""
    from safetensors.torch import save as to_bytes

    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    data = to_bytes(plain, {"genlib": json.dumps(meta)})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, data)


def checksum(tensors: Mapping[str, Tensor], meta: Mapping[str, object]) -> str:
    """SHA-256 of tensors (on the CPU: names, types, shapes, contents) and of what is said of them.

    ``meta`` holds plain JSON values; an entry ``sha256``, where the sum itself is kept, is not
    counted.
    """
    import torch

    counted = {key: value for key, value in meta.items() if key != "sha256"}
    sha = hashlib.sha256(json.dumps(counted, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        plain = tensor.detach().cpu().contiguous()
        sha.update(f"{name} {plain.dtype} {list(plain.shape)}".encode())
        sha.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()


def header(path: Path) -> dict[str, object]:
    """The JSON header of a safetensors file, checked against the file's length.

    Raises CheckpointError for a file that is missing, truncated or of another kind.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 10 or length > min(size - 8, MAX_HEADER):
                raise CheckpointError(f"{path.name} is not a safetensors file, or it is truncated.")
            head = json.loads(file.read(length))
    except FileNotFoundError:
        raise CheckpointError(f"There is no checkpoint at {path}.") from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path.name} is not a safetensors file.") from None
    if not isinstance(head, dict):
        raise CheckpointError(f"{path.name} is not a safetensors file.")
    _check_length(path.name, head, size - 8 - length)
    return head


def _check_length(name: str, head: dict[str, object], data: int) -> None:
    end = 0
    for key, entry in head.items():
        if key == "__metadata__":
            continue
        try:
            end = max(end, int(entry["data_offsets"][1]))  # type: ignore[index]
        except (TypeError, KeyError, IndexError, ValueError, OverflowError):
            raise CheckpointError(f"{name} has a damaged header.") from None
    if end != data:
        raise CheckpointError(
            f"{name} is truncated or damaged: it should hold {end:,} bytes of weights and holds "
            f"{data:,}."
        )
