"""Safetensors files with a JSON description, written atomically and checked on reading."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

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
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


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
