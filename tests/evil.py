"""A world in which everybody gives hostile names: checkpoints, runs, sweeps, pictures, classes."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from PIL import Image

from genlib import environment
from genlib.data.pictures import registry
from genlib.files import write_bytes
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.runs import queue
from genlib.runs.directory import Run, RunSpec
from genlib.runs.worker import work
from genlib.settings import Event
from genlib.store import checkpoint
from genlib.store.tensorfile import header

HOST = "evil.test"
ROOT = Path(__file__).resolve().parents[1]
TRAIN = {"epochs": 2, "limit": 128, "precision": "float32", "threads": 1}


def name(mark: str) -> str:
    """A name of at most 60 characters: an image from elsewhere, colour, formula, HTML, an icon."""
    return f"![{mark}](http://{HOST}/a) :red[r] $x$ <b>:material/home:"


def tag(mark: str) -> str:
    """The same as HTML, of a name of at most 60 characters."""
    return f'<img src="http://{HOST}/{mark}"><a href="//{HOST}">$y$'


def file_name(mark: str) -> str:
    """The same without the slashes that no file's name has; browsers read \\\\ as //."""
    return f"![{mark}](\\\\\\\\{HOST}\\\\a) :red[r] $x$ <b>www.{HOST}"


@dataclass(frozen=True)
class Evil:
    """Where that world is: a folder, the variables that lead an app there, and three runs."""

    folder: Path
    env: Mapping[str, str]
    done: str
    failed: str
    dataset: str


def build(folder: Path) -> Evil:
    """Make the world in an empty folder; takes some seconds."""
    env = {"GENLIB_RUNS": str(folder / "runs"), "GENLIB_CHECKPOINTS": str(folder / "shipped")}
    env["XDG_CACHE_HOME"] = str(folder / "cache")
    with entered(env):
        dataset = _dataset(folder)
        _checkpoints(folder / "shipped")
        done = [_run(name("n1"), dataset), _run(tag("n2"), dataset)]
        failed = _run(name("f"), dataset, failed=True)
        queue.delete(_run(name("d"), dataset, failed=True))
        _uploads(dataset)
    return Evil(folder, env, done[0].id, failed.id, dataset)


@contextmanager
def entered(env: Mapping[str, str]) -> Iterator[None]:
    """This process reads and writes there for the block."""
    with pytest.MonkeyPatch.context() as patch:
        for key, value in env.items():
            patch.setenv(key, value)
        yield


def _checkpoints(folder: Path) -> None:
    shutil.copytree(ROOT / "checkpoints", folder)
    for n, path in enumerate(sorted(folder.glob("*.safetensors"))):
        rewrite(path, {"name": (tag if n % 2 else name)(f"c{n}")})


def rewrite(path: Path, change: Mapping[str, object]) -> None:
    """Change entries of what a checkpoint says of itself."""
    head = header(path)
    about = head["__metadata__"]
    assert isinstance(about, dict)
    about["genlib"] = json.dumps({**json.loads(about["genlib"]), **change})
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    write_bytes(path, len(text).to_bytes(8, "little") + text + data[start:])


def _dataset(folder: Path) -> str:
    """Pictures of two classes, whose folders are named so, as the broken file among them is."""
    pictures = folder / file_name("p")
    for number, label in enumerate((file_name("x"), file_name("y"))):
        (pictures / label).mkdir(parents=True)
        for i in range(12):
            Image.new("RGB", (32, 32), (20 * i, 120 * number, 90)).save(
                pictures / label / f"{i}.png"
            )
    (pictures / label / f"{file_name('b')}.png").write_bytes(b"no picture")
    return registry.register(pictures).name


def _run(title: str, dataset: str, *, failed: bool = False) -> Run:
    spec = RunSpec(
        "autoencoder", "digits", {"latent_dim": 2}, TRAIN, title, name("r"), name("sweep")
    )
    run = queue.create(spec)
    if failed:
        run.set_status("failed", time.time(), name("m"))
    else:
        work(run, _ignore)
    return run


def _ignore(event: Event) -> None:
    """Watch nothing."""


def _uploads(dataset: str) -> None:
    """A classifier of those pictures, and checkpoints whose dataset and file are named so."""
    torch.manual_seed(0)
    settings = ClassifierSettings(
        channels=3, image_size=32, n_classes=2, width=2, dense=4, dropout=0.0
    )
    folder = environment.uploads_dir()
    where = folder / "classifier.safetensors"
    checkpoint.save(where, Classifier(settings), name=name("k"), dataset=dataset, seed=0, epoch=1)
    coloured = Autoencoder(AutoencoderSettings(channels=3, image_size=32, latent_dim=2))
    where = folder / "coloured.safetensors"
    checkpoint.save(where, coloured, name=name("odd"), dataset=dataset, seed=0, epoch=1)
    digits = Classifier(ClassifierSettings(width=2, dense=4))
    where = folder / f"{file_name('u')}.safetensors"
    checkpoint.save(where, digits, name=name("u"), dataset=name("ds"), seed=0, epoch=1)
