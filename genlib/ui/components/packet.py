"""One run of bytes for the browser: a header of plain values, then arrays. packet.js reads it.

Streamlit passes bytes only as the whole of a component's data (within a dict they become text),
and our own routes answer with bytes anyway.

    | length of the header, uint32 little-endian | header: JSON, padded by spaces | array | array |

Everything begins at a multiple of four bytes, so that the browser looks into the block in place.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

KINDS = ("uint8", "int32", "float32")
Part = bytes | NDArray[np.generic]


def pack(values: Mapping[str, object], parts: Mapping[str, Part]) -> bytes:
    """Join plain values (JSON) and arrays (uint8, int32, float32; bytes count as uint8).

    ``unpack`` of packet.js gives one object holding both, arrays flattened in C order.
    Raises ValueError for another type of array, and for a name that is used twice.
    """
    if twice := values.keys() & parts.keys():
        raise ValueError(f"values and parts must not share names, got {sorted(twice)}")
    table: list[tuple[str, str, int]] = []
    blocks: list[bytes] = []
    for name, part in parts.items():
        kind = "uint8" if isinstance(part, bytes) else str(part.dtype)
        if kind not in KINDS:
            raise ValueError(f"{name} must be one of {', '.join(KINDS)}, got {kind}")
        block = part if isinstance(part, bytes) else part.tobytes()
        table.append((name, kind, len(part) if isinstance(part, bytes) else part.size))
        blocks += [block, bytes(-len(block) % 4)]
    head = json.dumps({"values": dict(values), "parts": table}).encode()
    head += b" " * (-len(head) % 4)
    return b"".join((len(head).to_bytes(4, "little"), head, *blocks))


def as_text(block: bytes | NDArray[np.uint8]) -> str:
    """Bytes as base64, to be sent within a dict; ``fromText`` of packet.js reads them."""
    return base64.b64encode(block if isinstance(block, bytes) else block.tobytes()).decode()


def levels(shares: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Numbers in [0, 1] as one byte each, 0..255; what lies outside is clipped."""
    return np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)
