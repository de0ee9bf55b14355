"""Checkpoints that people upload: kept, listed, deleted with undo."""

from __future__ import annotations

import re
from pathlib import Path

from genlib import environment
from genlib.environment import uploads_dir
from genlib.files import move, write_bytes
from genlib.runs import queue
from genlib.store.checkpoint import Info, listing, peek


def keep(data: bytes, info: Info) -> Info:
    """Keep an uploaded file; a name that is taken, in the trash as well, gets a number.

    info: what ``evaluate.upload.check_upload`` found the file to be. Raises LimitError for a full
    disk; then nothing has changed.
    """
    environment.check_disk(queue.folder(), len(data))
    folder = uploads_dir()
    folder.mkdir(parents=True, exist_ok=True)
    # "model" is how every run calls its newest checkpoint: then the name inside tells more.
    stem = info.path.stem
    stem = info.name if stem == "model" else stem
    stem = re.sub(r"[^\w.+-]+", "_", stem).strip("._")[:60]
    stem = stem.encode()[:160].decode(errors="ignore")  # file systems count bytes: at most 255
    stem = "upload" if stem in ("", "model") else stem
    path, number = folder / f"{stem}.safetensors", 2
    while path.exists() or (queue.folder() / queue.TRASH / path.name).exists():
        path, number = folder / f"{stem}-{number}.safetensors", number + 1
    write_bytes(path, data)
    return peek(path)


def kept() -> list[Info]:
    """The uploaded checkpoints, by name."""
    return listing(uploads_dir())


def delete(path: Path) -> Path:
    """Move an upload to the trash; returns what ``undo_delete`` needs."""
    return queue.to_trash(path)


def undo_delete(trashed: Path) -> Path:
    """Bring a deleted upload back; raises ValueError when the trash no longer has it."""
    if not trashed.is_file():
        raise ValueError(f"{trashed.name} is no longer in the trash, so it cannot be brought back.")
    path = uploads_dir() / trashed.name
    move(trashed, path)
    return path
