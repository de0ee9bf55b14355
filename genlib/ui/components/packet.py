"""One run of bytes for the browser: a header of plain values, then arrays. packet.js reads it.

Streamlit passes bytes only as the whole of a component's data (within a dict they become text),
and our own routes answer with bytes anyway.

    | length of the header, uint32 little-endian | header: JSON, padded by spaces | array | array |

Everything begins at a multiple of four bytes, so that the browser looks into the block in place.
"""

from __future__ import annotations

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
