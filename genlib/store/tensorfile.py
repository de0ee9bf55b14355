"""Safetensors files with a JSON description, written atomically and checked on reading."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.files import open_file, staged, sync, write_bytes
from genlib.settings import file_name, is_fit, shown

if TYPE_CHECKING:
    from torch import Tensor

MAX_HEADER = 4_000_000  # bytes; safetensors itself allows 100 MB
MAX_MARKS = 200_000  # of JSON's , : [ { in a header; each costs up to a hundred bytes of memory
MAX_SIDES = 8  # in the shape of one tensor
BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}


class CheckpointError(ValueError):
    """A file is not a checkpoint that can be used; the message is one sentence for the user."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, object]) -> None:
    """Write tensors and a JSON header atomically; the folder is made if need be."""
    from safetensors.torch import save as to_bytes

    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    data = to_bytes(plain, {"genlib": json.dumps(meta)})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, data)


def write_meta(path: Path, meta: Mapping[str, object], mtime_ns: int) -> None:
    """Replace what a safetensors file says of itself; its tensors stay as they are, bit by bit.

    mtime_ns: when the file that ``meta`` is about was changed last. Raises CheckpointError where
    another one has taken its place, and where ``header`` does.
    """
    head = header(path)
    data = path.read_bytes()
    tensors = data[8 + int.from_bytes(data[:8], "little") :]
    head["__metadata__"] = {"genlib": json.dumps(meta)}
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8 bytes
    with staged(path) as new:
        new.write_bytes(len(text).to_bytes(8, "little") + text + tensors)
        sync(new)  # now, since it takes longest: nothing is between the check and the replacement
        if path.stat().st_mtime_ns != mtime_ns:
            raise CheckpointError(
                f"{file_name(path.name, 'The file')} has been replaced since it was read, by a "
                "training for example: try again."
            )


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
    """The JSON header of a safetensors file, checked before any weight is read.

    Afterwards every tensor is known to lie in the file with exactly the bytes that its shape and
    type ask for, so that the weights never take more memory than the file is long.
    Raises CheckpointError for a file that is missing, truncated, inconsistent or of another kind.
    """
    name = file_name(path.name, "The file")
    try:
        size = path.stat().st_size
        with open_file(path) as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 10 or length > min(size - 8, MAX_HEADER):
                raise CheckpointError(f"{name} is not a safetensors file, or it is truncated.")
            head = bounded_json(file.read(length))
    except FileNotFoundError:
        raise CheckpointError(f"No checkpoint was found at {path}.") from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{name} is not a safetensors file.") from None
    if not isinstance(head, dict):
        raise CheckpointError(f"{name} is not a safetensors file.")
    _check_layout(name, head, size - 8 - length)
    return head


def bounded_json(text: bytes | str) -> object:
    """Parse JSON whose size in memory is known to be bounded beforehand.

    Raises ValueError for other text, text outside ASCII (genlib escapes it) or too many values,
    RecursionError for too deep nesting.
    """
    plain = text if isinstance(text, str) else text.decode("ascii")
    if sum(map(plain.count, ",:[{")) > MAX_MARKS:
        raise ValueError(f"more than {MAX_MARKS:,} values")
    return json.loads(plain)


def _check_layout(name: str, head: dict[str, object], data: int) -> None:
    """Raise CheckpointError unless the tensors fill the ``data`` bytes without gap or overlap."""
    spans = [_span(name, key, entry) for key, entry in head.items() if key != "__metadata__"]
    end = 0
    for first, last in sorted(spans):
        if first != end:
            raise CheckpointError(f"{name} is damaged: its tensors overlap or leave gaps.")
        end = last
    if end != data:
        raise CheckpointError(
            f"{name} is truncated or damaged: it should hold {end:,} bytes of weights and holds "
            f"{data:,}."
        )


def _span(name: str, key: str, entry: object) -> tuple[int, int]:
    """First and last offset of a tensor that is consistent in itself."""
    if not is_fit(key):
        raise CheckpointError(f"{name} has a damaged header: {shown(key)} can't name a tensor.")
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [first, last]}:
            numbers = [*shape, first, last]
        case _:
            raise CheckpointError(f"{name} has a damaged header: see {shown(key)}.")
    if dtype not in BYTES:
        raise CheckpointError(
            f"{name} stores {shown(key)} in a number format that is not allowed: {shown(dtype)}."
        )
    # Sides and offsets below 2^63, as safetensors counts; a few sides, as any model has.
    if len(shape) > MAX_SIDES or not all(type(n) is int and 0 <= n < 2**63 for n in numbers):
        raise CheckpointError(
            f"{name} has a damaged header: {shown(key)} can't have the shape {shown(shape)}."
        )
    if last - first != math.prod(shape) * BYTES[dtype]:
        raise CheckpointError(
            f"{name} is damaged: {shown(key)} of shape {shown(shape)} doesn't take the "
            f"{last - first:,} bytes that it has."
        )
    return first, last
