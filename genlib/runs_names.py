"""Names of runs: none is that of a shipped checkpoint, and a new one needs only a new header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from genlib.checkpoint import shipped_dir
from genlib.files import write_bytes
from genlib.recipes import RECIPES
from genlib.tensorfile import header
from genlib.text import fit


def is_shipped(name: str) -> bool:
    """Whether a checkpoint that comes with the project is called so, in any capitals."""
    recipes = {recipe for recipe, made in RECIPES.items() if made.shipped}
    files = {path.stem for path in shipped_dir().glob("*.safetensors")}
    return name.casefold() in {known.casefold() for known in recipes | files}


def refuse_shipped(name: str) -> None:
    """Raise ValueError for the name of a shipped checkpoint: links and pickers know models by it.

    Spaces are compared as they are shown.
    """
    if is_shipped(" ".join(name.split())):
        raise ValueError(f"{name!r} is the name of a shipped checkpoint; choose another one.")


def retitle(path: Path, name: str) -> None:
    """Replace the name in a checkpoint's header without reading its weights.

    Raises CheckpointError if the file is not a checkpoint.

    ::

        8 bytes: length of header | header, JSON, padded to 8 | weights, addressed from here
    """
    head = header(path)
    meta = cast(dict[str, str], head["__metadata__"])
    meta["genlib"] = json.dumps({**json.loads(meta["genlib"]), "name": fit(name)})
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    write_bytes(path, len(text).to_bytes(8, "little") + text + data[start:])
