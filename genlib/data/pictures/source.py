"""Folders and zips of pictures: what is in them, checked before a picture is decoded.

A source is a directory or a zip. Nothing of a zip is ever written to disk: its pictures are read
in memory, one by one, each with a bound. Layouts, with or without one folder around it all::

    cats/1.jpg  dogs/2.png                classes; a sixth, drawn with a fixed seed, is the test
    train/cats/1.jpg  test/cats/2.jpg     classes, split as given ("val" also means test)
    1.jpg  2.png                          no classes
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from PIL import Image

from genlib.settings import file_name, fit, shown

MAX_ENTRIES = 200_000  # files in a source
MAX_PICTURE = 64_000_000  # bytes of one file, unpacked
MAX_TOTAL = 4_000_000_000  # bytes of all files, unpacked
MAX_RATIO = 200  # unpacked to packed; pictures are packed already
SMALL = 1_000_000  # bytes below which the ratio doesn't matter: a white bitmap packs well
Progress = Callable[[int, int], None]  # is told how many pictures are done, of how many
HELD_OUT = ("test", "val", "valid", "validation")
EVERY = 6  # without a given split one picture in six is for the test, as in CIFAR-10
MAX_LIST = 40_000_000  # bytes of a zip's list of entries
UNSORTED = "unsorted"  # the class of pictures outside the class folders
# zipfile unpacks these a piece at a time; of the others (bzip2, LZMA, Zstandard) it unpacks at once
# whatever a few packed bytes become, however little is read.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Formats that start another program, or that hold no pixels by themselves.
LEFT_OUT = frozenset({"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5", "FITS", "IPTC"})


class FolderError(ValueError):
    """A source cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Picture:
    """One picture of a source: how to read it, and where it belongs."""

    name: str  # inside the source, with /
    label: int
    test: bool


@dataclass(frozen=True)
class Source:
    """A checked source. ``stamp`` changes whenever its content does."""

    path: Path
    pictures: tuple[Picture, ...]
    classes: tuple[str, ...]
    stamp: str

    def reader(self) -> AbstractContextManager[Callable[[str], bytes]]:
        """Open the source; inside ``with``, a function name -> bytes that any thread may call."""
        return _ZipReader(self.path) if self.path.is_file() else nullcontext(self._read_file)

    def _read_file(self, name: str) -> bytes:
        with (self.path / name).open("rb") as file:
            return file.read(MAX_PICTURE + 1)


class _ZipFile(io.FileIO):
    """A zip's bytes. While ``zipfile`` lists the entries, it can't read a list that is too long.

    It reads the whole list at once, with the length that one of three records declares; what
    counts is not which, but how much it asks for.
    """

    listing = True

    def read(self, size: int | None = -1, /) -> bytes:
        if not self.listing:
            return super().read(size)
        length = os.fstat(self.fileno()).st_size
        size = length - self.tell() if size is None or size < 0 else size
        if size > length:
            raise zipfile.BadZipFile("a list longer than the file")
        data = super().read(size) if size <= MAX_LIST else b""
        if size > MAX_LIST or data.count(b"PK\x01\x02") > MAX_ENTRIES:
            raise FolderError(
                f"{title_of(Path(str(self.name)))} holds more than {MAX_ENTRIES:,} files: "
                "use a part of them."
            )
        return data


class _ZipReader:
    def __init__(self, path: Path) -> None:
        self.file = _ZipFile(path)
        try:
            self.archive = zipfile.ZipFile(self.file)
        except BaseException:
            self.file.close()
            raise
        self.file.listing = False

    def __enter__(self) -> Callable[[str], bytes]:
        return self._read

    def __exit__(self, *error: object) -> None:
        self.archive.close()
        self.file.close()

    def _read(self, name: str) -> bytes:
        with self.archive.open(name) as file:
            return file.read(MAX_PICTURE + 1)


@cache
def formats() -> tuple[str, ...]:
    """The formats that are read, the usual ones first: all of Pillow's but those in LEFT_OUT."""
    Image.init()
    usual = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
    return (*usual, *sorted(set(Image.OPEN) - LEFT_OUT - set(usual)))


def suffixes() -> frozenset[str]:
    """The endings, such as ".jpg", that a picture may have."""
    known = set(formats())
    return frozenset(s for s, f in Image.registered_extensions().items() if f in known)


def title_of(path: Path) -> str:
    """What messages call a source: its name, cut to some 60 characters."""
    return file_name(path.name, "The folder")


def stamp_of(path: Path) -> str:
    """A text that changes whenever the content of a source does; empty when it is not there."""
    if path.is_dir():
        return _of_folder(path)[1]
    return _stamp_of_zip(path) if path.is_file() else ""


def quick_stamp_of(path: Path) -> str:
    """A text that changes when files of a source are added, removed or renamed, at any depth.

    It looks at the folders only, whose modification times change with their lists of names: for
    10,000 files it takes well below a millisecond where ``stamp_of`` takes a hundred. A file that
    is overwritten in place isn't noticed; for a zip the two are the same.
    """
    if not path.is_dir():
        return stamp_of(path)
    digest, left = hashlib.sha256(), [str(path)]
    while left:
        folder = left.pop()
        try:
            about = os.stat(folder)
        except OSError:
            continue  # removed meanwhile
        # The count of links tells two new folders within one tick of the disk's clock apart.
        digest.update(os.fsencode(f"{folder}\0{about.st_mtime_ns}\0{about.st_nlink}\0"))
        left += _inner(folder, about.st_mtime_ns, about.st_nlink)
    return digest.hexdigest()


@lru_cache(maxsize=10_000)
def _inner(folder: str, changed: int, links: int) -> tuple[str, ...]:
    """The folders directly inside one, read once as long as its stamps stay the same."""
    try:
        with os.scandir(folder) as found:
            return tuple(sorted(e.path for e in found if e.is_dir(follow_symlinks=False)))
    except OSError:  # nobody may look inside; ``look`` leaves it out as well
        return ()


def _stamp_of_zip(path: Path) -> str:
    about = path.stat()
    return f"{about.st_size}-{about.st_mtime_ns}"


def look(path: Path) -> Source:
    """Check a directory or a zip and list its pictures; no picture is decoded.

    Raises FolderError with one sentence for whatever cannot be used.
    """
    if not path.exists():
        raise FolderError(f"There is nothing at {shown(str(path))}.")
    files, stamp = _of_folder(path) if path.is_dir() else _of_zip(path)
    known = suffixes()
    names = [name for name in files if _shown(name)]
    pictures = [name for name in names if os.path.splitext(name)[1].lower() in known]
    if not pictures:
        what = "is empty" if not files else "holds no picture"
        raise FolderError(f"{title_of(path)} {what}: put pictures in it, such as .jpg or .png.")
    arranged, classes = arrange(pictures)
    return Source(path, arranged, classes, stamp)


def _shown(name: str) -> bool:
    """False for what systems add to folders of pictures: .DS_Store, __MACOSX, Thumbs.db."""
    return not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _of_folder(path: Path) -> tuple[list[str], str]:
    """Names of the files below a directory; links are not followed."""
    names: list[str] = []
    total, digest = 0, hashlib.sha256()
    for folder, inner, files in os.walk(path):
        inner.sort()
        for file in sorted(files):
            full = Path(folder, file)
            about = full.lstat()
            if not stat.S_ISREG(about.st_mode):
                continue  # a link may lead anywhere
            names.append(full.relative_to(path).as_posix())
            total += about.st_size
            stamp = f"{names[-1]}\0{about.st_size}\0{about.st_mtime_ns}\0"
            digest.update(os.fsencode(stamp))  # names need not be text
            _bound(title_of(path), len(names), total)
    return sorted(names), digest.hexdigest()


def _of_zip(path: Path) -> tuple[list[str], str]:
    damaged = FolderError(f"{title_of(path)} is not a zip file, or it is damaged.")
    with _ZipFile(path) as file:
        try:
            entries = zipfile.ZipFile(file).infolist()
        except FolderError:
            raise
        except (zipfile.BadZipFile, NotImplementedError, OverflowError, EOFError):
            raise damaged from None
        except (ValueError, struct.error, OSError):  # OSError: a place before the beginning
            raise damaged from None
    total = 0
    for count, entry in enumerate(entries, 1):
        _check_entry(title_of(path), entry)
        total += entry.file_size
        _bound(title_of(path), count, total)
    names = [entry.filename for entry in entries if not entry.is_dir()]
    if len(set(names)) < len(names):
        raise FolderError(f"{title_of(path)} holds two files of the same name: pack it again.")
    return sorted(names), _stamp_of_zip(path)


def _check_entry(zip_name: str, entry: zipfile.ZipInfo) -> None:
    """Raise FolderError for an entry that no honest zip of pictures has."""
    name = entry.filename
    if not name:
        raise FolderError(f"{zip_name} holds a file without a name: pack it again.")
    called = shown(name)
    odd = name.startswith(("/", "\\")) or "\\" in name or name[1:2] == ":" or "\0" in name
    if odd or ".." in name.split("/"):
        raise FolderError(f"{zip_name} holds {called}, which points outside of it.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise FolderError(f"{zip_name} holds {called}, a link: only files can be read.")
    if entry.flag_bits & 0x1:
        raise FolderError(f"{zip_name} is encrypted: pack it without a password.")
    if entry.compress_type not in METHODS:
        raise FolderError(
            f"{zip_name} holds {called}, compressed by a method that can't be read here: pack it "
            "again with the usual one, Deflate."
        )
    if entry.file_size > MAX_PICTURE:
        raise FolderError(
            f"{zip_name} holds {called} of {entry.file_size / 1e6:,.0f} MB unpacked; at most "
            f"{MAX_PICTURE / 1e6:.0f} MB are allowed."
        )
    if entry.file_size > SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        raise FolderError(
            f"{zip_name} holds {called}, which unpacks to more than {MAX_RATIO} times its size: "
            "that isn't a picture."
        )


def _bound(name: str, count: int, total: int) -> None:
    if count > MAX_ENTRIES:
        raise FolderError(f"{name} holds more than {MAX_ENTRIES:,} files: use a part of them.")
    if total > MAX_TOTAL:
        raise FolderError(f"{name} unpacks to more than {MAX_TOTAL / 1e9:.0f} GB: use a part.")


def arrange(names: list[str]) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
    """Read split and classes off the paths: names -> (pictures, classes).

    Pictures take turns by class, so that the first n of them are of all classes alike.
    """
    parts = {name: [part for part in name.split("/") if part] for name in names}
    while len({p[0] for p in parts.values()}) == 1 and min(map(len, parts.values())) > 1:
        parts = {name: p[1:] for name, p in parts.items()}  # one folder around everything
    tops = {p[0].lower() for p in parts.values() if len(p) > 1}
    split = "train" in tops and any(top in tops for top in HELD_OUT)
    inside = {"train": False, **dict.fromkeys(HELD_OUT, True)} if split else {}
    placed: dict[tuple[bool | None, str], list[str]] = {}
    for name, p in parts.items():
        test = inside.get(p[0].lower()) if len(p) > 1 else None
        rest = p[1:] if test is not None else p
        if split and test is None:
            continue  # next to train and test: a cover picture, a diagram
        # Commas part the names of classes in a setting.
        label = fit(rest[0].replace(",", " "), 60) if len(rest) > 1 else ""
        label = label or UNSORTED
        placed.setdefault((test, label), []).append(name)
    classes = tuple(sorted({label for _, label in placed}))
    turns: list[tuple[int, int, bool, str]] = []
    for (test, label), members in sorted(placed.items(), key=lambda item: item[0][1]):
        members.sort()
        if test is None:
            random.Random(0).shuffle(members)  # names may be dates: a split must not follow them
        for turn, name in enumerate(members):
            held = turn % EVERY == EVERY - 1 if test is None else test
            turns.append((turn, classes.index(label), held, name))
    return tuple(Picture(name, label, held) for _, label, held, name in sorted(turns)), classes
