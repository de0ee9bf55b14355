"""Give a checkpoint another name without reading its weights: only the header is rewritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from genlib.files import write_bytes
from genlib.tensorfile import header


def retitle(path: Path, name: str) -> None:
    """Replace the name in a checkpoint's header; raises CheckpointError if it is not one.

    ::

        8 bytes: length of header | header, JSON, padded to 8 | weights, addressed from here
    """
    head = header(path)
    meta = cast(dict[str, str], head["__metadata__"])
    meta["genlib"] = json.dumps({**json.loads(meta["genlib"]), "name": name})
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    write_bytes(path, len(text).to_bytes(8, "little") + text + data[start:])
