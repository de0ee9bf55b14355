"""Hostile input: mutations of every shipped file, of pictures and zips, and of a run's directory.

    python benchmarks/fuzz.py                        # 10,000 cases: some minutes
    python benchmarks/fuzz.py --cases 1 --first 4711 # one case again

Every case must either load, and then give finite numbers, or raise the error that belongs to it
with one sentence of less than 400 characters. Nothing may be written outside the fuzzer's own
folder, no program started, and memory stays bounded. Case n is the same on every machine.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import random
import struct
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from genlib.data.pictures import photographs
from genlib.data.pictures.decode import decode
from genlib.data.pictures.source import FolderError, look
from genlib.evaluate import upload
from genlib.models.capabilities import Classifies, Decodes, Reconstructs
from genlib.runs import queue
from genlib.runs.directory import RunSpec
from genlib.runs.events import append
from genlib.settings import Event
from genlib.store import checkpoint
from genlib.store.checkpoint import CheckpointError

ROOT = Path(__file__).parents[1]
LONGEST = 400  # characters of a message
MEMORY = 1_500_000_000  # bytes that all cases together may add to the process at its largest
ODD: tuple[object, ...] = (
    *(None, True, "", "x" * 300, "\ud800", "a\0b", "../../x", 0, -1, 2**31, 2**64, 10**30, 0.5),
    *(float("inf"), float("nan"), 1e300, [], {}, [[[[[]]]]], [1] * 20, [0], {"a": {"b": []}}),
)
STARTERS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class")
WRITERS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link")


class Broken(AssertionError):
    """A case that did what no input may do."""


# ------------------------------------------------------------------------------ mutations


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bytes flipped, cut out, repeated, set or appended, at one to four places."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out) + 1) if rng.random() < 0.5 else rng.randrange(60) - 60
        at = min(max(at if at >= 0 else len(out) + at, 0), max(len(out) - 1, 0))
        kind, length = rng.randrange(6), rng.choice((1, 2, 4, 8, 64))
        if kind == 0 and out:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[at : at + length]
        elif kind == 2:
            out[at:at] = out[at : at + length]
        elif kind == 3:
            out[at : at + length] = rng.choice((b"\0", b"\xff", b"\x7f", b"[")) * length
        elif kind == 4:
            out += rng.randbytes(length)
        else:
            del out[rng.randrange(len(out) + 1) :]
    return bytes(out)


def altered(value: object, rng: random.Random) -> object:
    """A JSON value with one entry, somewhere in it, replaced, removed, renamed or doubled."""
    keys: list[object] = list(value) if isinstance(value, dict) else []
    if isinstance(value, list):
        keys = list(range(len(value)))
    if not keys or rng.random() < 0.15:
        return rng.choice(ODD)
    key, copy = rng.choice(keys), (dict(value) if isinstance(value, dict) else list(value))  # type: ignore
    kind = rng.randrange(10)
    if kind == 0:
        del copy[key]
    elif kind == 1 and isinstance(copy, dict):
        copy[str(rng.choice(ODD))[:300]] = copy.pop(key)
    elif kind == 2 and isinstance(copy, list):
        copy.extend([copy[key]] * rng.choice((1, 30, 1000)))
    elif kind == 3:
        copy[key] = rng.choice(ODD)
    else:
        copy[key] = altered(copy[key], rng)
    return copy


def odd_checkpoint(data: bytes, rng: random.Random) -> bytes:
    """A shipped file with an altered header, or mutated bytes, or extreme weights."""
    size = int.from_bytes(data[:8], "little")
    kind = rng.randrange(5)
    if kind == 0:
        return mutated(data[: 8 + size], rng) + data[8 + size :]
    if kind == 1:
        weights = bytearray(data[8 + size :])
        for _ in range(rng.randint(1, 2000)):
            at = rng.randrange(len(weights) // 2) * 2
            weights[at : at + 2] = struct.pack("<H", rng.choice((0x7BFF, 0xFBFF, 0x7C00, 0x7E00)))
        return data[: 8 + size] + bytes(weights)
    head = json.loads(data[8 : 8 + size])
    if kind == 2:
        head = altered(head, rng)
    else:
        meta = altered(json.loads(head["__metadata__"]["genlib"]), rng)
        head["__metadata__"]["genlib"] = json.dumps(meta)
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


def picture(rng: random.Random) -> bytes:
    """A small picture in one of Pillow's formats."""
    noise = np.random.default_rng(rng.randrange(2**32)).integers(0, 256, (24, 31, 3), np.uint8)
    kind = rng.choice(("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "ICO", "PPM", "TGA", "SGI"))
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, kind)
    return buffer.getvalue()


def zipped(rng: random.Random) -> bytes:
    """A zip of six pictures, some of them odd, packed in any of zipfile's ways."""
    buffer = io.BytesIO()
    how = rng.choice(
        (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    )
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for i in range(6):
            data = picture(rng)
            name = rng.choice((f"a/{i}.png", f"b/{i}.jpg", f"{i}.gif"))
            archive.writestr(name, mutated(data, rng) if rng.random() < 0.2 else data)
    return buffer.getvalue()


# ------------------------------------------------------------------------------ cases


class Fuzzer:
    """All cases work in ``folder``; the runs that they read are there too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = sorted((ROOT / "checkpoints").rglob("*.safetensors"))
        self.shipped = [path.read_bytes() for path in found]
        self.good, self.run = (queue.create(RunSpec("vae", "digits")) for _ in range(2))
        append(self.run.path / "events.jsonl", Event("start", metrics={"epochs": 2.0}))
        append(self.run.path / "events.jsonl", Event("epoch", 9, 1, 1.5, {"test/loss": 0.5}))
        (self.run.path / "model.safetensors").write_bytes(min(self.shipped, key=len))
        self.files = {path: path.read_bytes() for path in self.run.path.iterdir() if path.is_file()}
        self.kinds: tuple[Callable[[random.Random], str], ...] = (
            *[self.checkpoint] * 5,
            self.picture,
            self.zip,
            *[self.directory] * 3,
        )

    def case(self, number: int) -> str:
        """Do case ``number``; returns what came of it, raises Broken for what must not happen."""
        rng = random.Random(number)
        try:
            return rng.choice(self.kinds)(rng)
        except Broken as error:
            raise Broken(f"case {number}: {error}") from None
        except Exception as error:
            raise Broken(f"case {number}: {type(error).__name__}: {str(error)[:300]}") from error

    def checkpoint(self, rng: random.Random) -> str:
        """An upload, and the same file found in a folder."""
        data = odd_checkpoint(rng.choice(self.shipped), rng)
        path = self.folder / "case.safetensors"
        path.write_bytes(data)
        checkpoint.listing(self.folder)
        try:
            upload.check_upload(data, path.name)
        except CheckpointError as error:
            return sentence("checkpoint", error)
        model = checkpoint.load(path)
        x = torch.linspace(0, 1, model.config.pixels).view(1, *model.config.shape)
        if isinstance(model, Reconstructs):
            finite("reconstruct", model.reconstruct(x))
        if isinstance(model, Classifies):
            finite("logits", model.logits(x))
        if isinstance(model, Decodes):
            finite("decode", model.decode(torch.linspace(-1, 1, model.latent_dim)[None]))
        return "checkpoint: loaded"

    def picture(self, rng: random.Random) -> str:
        """A picture for DeepDream."""
        try:
            finite("picture", photographs.decode(mutated(picture(rng), rng), 64))
        except photographs.PictureError as error:
            return sentence("picture", error)
        return "picture: loaded"

    def zip(self, rng: random.Random) -> str:
        """A zip of pictures."""
        path = self.folder / "case.zip"
        path.write_bytes(mutated(zipped(rng), rng))
        try:
            decode(look(path), 32, "colour")
        except FolderError as error:
            return sentence("zip", error)
        return "zip: loaded"

    def directory(self, rng: random.Random) -> str:
        """A run with one edited file: the list and the queue go on, with the other runs."""
        path, data = rng.choice(sorted(self.files.items()))
        if path.suffix == ".json" and rng.random() < 0.7:
            path.write_text(json.dumps(altered(json.loads(data), rng)))
        else:
            path.write_bytes(mutated(data, rng))
        try:
            listed = [run.id for run in queue.listing()]
            if self.good.id not in listed:
                raise Broken(f"an edited {path.name} hid another run")
            queue.queue()
            queue.trashed()
            checkpoint.listing(self.run.path)
            if self.run.id not in listed:
                return "run: left out"
            run = self.run
            shown = (run.name, run.state, run.message, run.control, run.pid, run.previews())
            run.events()
            return "run: listed" if shown else ""
        finally:
            path.write_bytes(data)


def sentence(kind: str, error: Exception) -> str:
    """The outcome of a refusal; its message must be short and fit to be shown."""
    text = str(error)
    if not 0 < len(text) < LONGEST or not text.isprintable():
        raise Broken(f"the message is too long or can't be shown: {text[:500]!r}")
    return f"{kind}: refused"


def finite(what: str, numbers: torch.Tensor) -> None:
    """Raise Broken unless all numbers are finite."""
    if not bool(numbers.isfinite().all()):
        raise Broken(f"{what} gave numbers that are not finite")


@contextmanager
def confined(folder: Path) -> Iterator[None]:
    """Note every write outside ``folder`` and every start of a program; raise Broken at the end."""
    seen: list[str] = []
    home, active = str(folder.resolve()), True
    allowed = (home, os.devnull)

    def hook(event: str, given: tuple[object, ...]) -> None:
        if not active:
            return
        if event in STARTERS:
            seen.append(f"{event} {str(given)[:200]}")
        if event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR):
            note(event, os.path.realpath(str(given[0])))
        if event in WRITERS:
            last = given[-1]  # the open folder that a relative path starts from, or -1
            below = f"/proc/self/fd/{last}" if isinstance(last, int) and last >= 0 else ""
            for path in given[:2]:
                if isinstance(path, str | os.PathLike):
                    note(event, os.path.realpath(os.path.join(below, path)))

    def note(event: str, place: str) -> None:
        if not place.startswith(allowed):
            seen.append(f"{event} {place}")

    sys.addaudithook(hook)  # can't be removed again, so it is switched off
    try:
        yield
    finally:
        active = False
    if seen:
        raise Broken(f"written or started outside {home}: {seen[:5]}")


def largest() -> int:
    """Most bytes of memory that this process has had since ``forget_largest``; 0 if unknown."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def forget_largest() -> None:
    """Let ``largest`` begin at what the process has now, where Linux can do that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def fuzz(first: int, cases: int, watch: Callable[[int], None] = lambda done: None) -> Counter[str]:
    """Do cases ``first`` and on; returns how many came to what. Raises Broken at a fault."""
    before, outcomes = dict(os.environ), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        for key in ("GENLIB_RUNS", "TMPDIR", "XDG_CACHE_HOME"):
            (home / key).mkdir()
            os.environ[key] = str(home / key)
        tempdir, tempfile.tempdir = tempfile.tempdir, str(home / "TMPDIR")
        try:
            fuzzer = Fuzzer(home)
            fuzzer.case(0)  # imports are nobody's memory
            forget_largest()
            start = largest()
            with confined(home):
                for number in range(first, first + cases):
                    outcomes[fuzzer.case(number)] += 1
                    watch(number - first + 1)
            if largest() - start > MEMORY:
                raise Broken(f"the cases took {(largest() - start) / 1e6:.0f} MB of memory")
        finally:
            tempfile.tempdir = tempdir
            os.environ.clear()
            os.environ.update(before)
    return outcomes


def main() -> int:
    """Do the cases, print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("genlib").setLevel(logging.ERROR)  # each run left out is logged
    began = time.monotonic()

    def watch(done: int) -> None:
        if done % 500 == 0:
            print(f"{done:,} cases, {time.monotonic() - began:.0f} s", flush=True)

    try:
        outcomes = fuzz(options.first, options.cases, watch)
    except Broken as error:
        print(error)
        return 1
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:7,} {outcome}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
