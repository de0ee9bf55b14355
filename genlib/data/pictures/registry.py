"""Which folders and zips of pictures are datasets here.

::

    runs/datasets/pets.json       where the pictures are, which size, colour or grey
    runs/datasets/pets.zip        an uploaded zip, as it came
    runs/datasets/.trash/         both, of datasets that were removed

A dataset of this kind is called ``folder:pets``. Training processes and restarts find it there.
Whoever changes what is there holds ``runs/.datasets.lock``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from genlib import environment
from genlib.data.pictures.source import FolderError, look
from genlib.environment import runs_dir
from genlib.files import exclusive, move, staged, write_bytes
from genlib.settings import file_name, fit, shown

PREFIX = "folder:"
SIZES = (28, 32, 64)  # 28: digits and clothes, the size of most shipped families
DEFAULT_SIZE = 32
COLOURS = ("colour", "grey")
TRASH = ".trash"
TRASH_SIZE = 20  # removed datasets that can be brought back
TRASH_BYTES = 1_000_000_000  # of their zips
MAX_UPLOAD = 400_000_000  # bytes


@dataclass(frozen=True)
class Entry:
    """A source of pictures and how it is to be decoded."""

    name: str
    title: str
    path: Path
    size: int = DEFAULT_SIZE
    colour: str = "colour"

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            known = f"{', '.join(map(str, SIZES[:-1]))} or {SIZES[-1]}"
            raise FolderError(f"size must be {known}, got {self.size}")
        if self.colour not in COLOURS:
            raise FolderError(f"colour must be {' or '.join(COLOURS)}, got {shown(self.colour)}")


def shelf() -> Path:
    """Where the descriptions of the datasets are, and the zips that were uploaded."""
    return runs_dir() / "datasets"


def _lock() -> Path:
    return runs_dir() / ".datasets.lock"


def entries() -> dict[str, Entry]:
    """The datasets on the shelf by name; a description that cannot be read is left out."""
    return _described(shelf())


def _described(folder: Path) -> dict[str, Entry]:
    found = {}
    for file in sorted(folder.glob("*.json")):
        try:
            entry = _read(file)
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue  # half-written, or somebody else's
        found[entry.name] = entry
    return found


def _read(file: Path) -> Entry:
    said = json.loads(file.read_text(encoding="utf-8"))
    path = Path(said["path"])
    if not path.is_absolute():
        path = shelf() / path.name  # an uploaded zip lies next to its description
    size, colour = int(said["size"]), str(said["colour"])
    return Entry(PREFIX + file.stem, fit(str(said["title"]), 60), path, size, colour)


def register(path: Path, size: int = DEFAULT_SIZE, colour: str = "colour") -> Entry:
    """Make a directory or a zip a dataset; the same again when it already is one.

    Raises FolderError with one sentence for what cannot be used; then nothing is changed.
    """
    try:
        path = path.expanduser().resolve()
    except RuntimeError:  # "~nobody", or links in a circle
        raise FolderError(f"There is nothing at {shown(str(path))}.") from None
    look(path)
    with exclusive(_lock()):
        return _describe(path, path, path.name if path.is_dir() else path.stem, size, colour)


def _describe(path: Path, said: Path, title: str, size: int, colour: str) -> Entry:
    known, removed = entries(), _described(shelf() / TRASH)
    for entry in (*known.values(), *removed.values()):
        if (entry.path, entry.size, entry.colour) == (path, size, colour):
            return entry if entry.name in known else _bring_back(entry.name)
    stem = re.sub(r"[^a-z0-9_]+", "-", title.lower()).strip("-")[:40] or "pictures"
    stem += ("" if size == DEFAULT_SIZE else f"-{size}") + ("" if colour == COLOURS[0] else "-grey")
    name, number = stem, 1
    # A name in the trash is taken, too: it comes back by ``restore``.
    while PREFIX + name in known | removed or (shelf() / f"{name}.json").exists():
        number += 1
        name = f"{stem}-{number}"
    title = fit(title, 60) or "pictures"
    entry = Entry(PREFIX + name, title, path, size, colour)
    text = json.dumps({"title": title, "path": str(said), "size": size, "colour": colour})
    shelf().mkdir(parents=True, exist_ok=True)
    write_bytes(shelf() / f"{name}.json", text.encode())
    return entry


def keep_zip(data: bytes, filename: str, size: int = DEFAULT_SIZE, colour: str = "colour") -> Entry:
    """Store an uploaded zip and make it a dataset; the same content is stored once.

    Raises FolderError for a file that cannot be used and LimitError for a full disk; then nothing
    is kept.
    """
    environment.check_disk(runs_dir(), len(data))
    title = file_name(filename, "upload.zip")
    if len(data) > MAX_UPLOAD:
        raise FolderError(
            f"{title} has {len(data) / 1e6:.0f} MB; at most {MAX_UPLOAD / 1e6:.0f} MB are allowed."
        )
    stored = shelf() / f"{hashlib.sha256(data).hexdigest()[:16]}.zip"
    shelf().mkdir(parents=True, exist_ok=True)
    with exclusive(_lock()):  # or another visitor removes the zip before it is described
        if not stored.exists():
            with staged(stored, title) as candidate:
                candidate.write_bytes(data)
                look(candidate)
        return _describe(stored, Path(stored.name), Path(title).stem, size, colour)


def remove(name: str) -> None:
    """Move a dataset to the trash, from where ``restore`` brings it back. A folder's pictures stay
    where they are; an uploaded zip goes with its last dataset. Raises OSError when it is gone.

    The trash keeps the last TRASH_SIZE, as far as their zips fit into TRASH_BYTES.
    """
    trash, file = shelf() / TRASH, _file(name)
    with exclusive(_lock()):
        entry = _read(file)
        trash.mkdir(exist_ok=True)
        move(file, trash / file.name)
        os.utime(trash / file.name, ns=(time.time_ns(),) * 2)
        if _is_uploaded(entry) and all(e.path != entry.path for e in entries().values()):
            move(entry.path, trash / entry.path.name)
        _forget_oldest(trash)


def _forget_oldest(trash: Path) -> None:
    removed = {name: (trash / _file(name).name, entry) for name, entry in _described(trash).items()}
    newest = sorted(removed.values(), key=lambda one: one[0].stat().st_mtime_ns, reverse=True)
    kept: set[str] = set()
    room = TRASH_BYTES
    for file, entry in newest[:TRASH_SIZE]:
        zipped = trash / entry.path.name
        if _is_uploaded(entry) and zipped.name not in kept and zipped.exists():
            room -= zipped.stat().st_size
        if kept and room < 0:
            break
        kept |= {file.name, zipped.name}
    for old in trash.iterdir():
        if old.name not in kept:
            old.unlink()


def restore(name: str) -> None:
    """Undo a ``remove``, unless the same pictures were added again meanwhile. Raises OSError when
    the trash no longer has the dataset."""
    with exclusive(_lock()):
        if name not in entries():
            _bring_back(name)


def _bring_back(name: str) -> Entry:
    trash, file = shelf() / TRASH, _file(name)
    entry = _read(trash / file.name)
    zipped = trash / entry.path.name
    if _is_uploaded(entry) and zipped.exists():  # else another dataset has it
        move(zipped, entry.path)
    move(trash / file.name, file)
    return entry


def _is_uploaded(entry: Entry) -> bool:
    return entry.path.parent == shelf()


def _file(name: str) -> Path:
    return shelf() / f"{name.removeprefix(PREFIX)}.json"
