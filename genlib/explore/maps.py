"""Maps that come with a checkpoint, so that the Latent map page shows them at once.

::

    checkpoints/vae-20.safetensors
    checkpoints/vae-20.maps.npz      t-SNE of 2,000 test digits, one map for each snapshot

A map is used only for exactly what it was made of: the file holds a digest of each snapshot's
weights and of the images, and the settings. A stale one is as good as none. ``genlib maps``
rebuilds them. Nothing in such a file is unpickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genlib.data import datasets
from genlib.data.datasets import Dataset, to_float
from genlib.explore.projection import COLD, TSNE, WARM, Array, Frame
from genlib.files import write_bytes
from genlib.models.capabilities import Encodes
from genlib.store import checkpoint
from genlib.store.checkpoint import Info

# What the page shows first. Other settings are computed when they are asked for.
POINTS, PERPLEXITY, SEED = 2000, 30.0, 0
VERSION = 1  # of the way maps are computed; another number makes every stored map stale
SUFFIX = ".maps.npz"
Progress = Callable[[str], None]  # is told what is being computed


@dataclass(frozen=True)
class Chosen:
    """Test images on a map: rows (n,) among those of the classes that the model knows, numbers
    (n,) in the whole test set, pictures uint8 (n, C, H, W)."""

    rows: NDArray[np.int64]
    numbers: NDArray[np.int32]
    pictures: NDArray[np.uint8]

    @property
    def digest(self) -> str:
        """A text that changes with the images."""
        shape = f"{self.pictures.shape}\0".encode()
        return hashlib.sha256(shape + np.ascontiguousarray(self.pictures).tobytes()).hexdigest()


@dataclass(frozen=True)
class Maps:
    """All maps of a checkpoint: of each epoch the positions float32 (n, 2), the KL in nats and the
    digest of the snapshot; of all, the images' numbers (n,) and digest, and the settings."""

    positions: dict[int, Array]
    kl: dict[int, float]
    digests: dict[int, str]
    numbers: NDArray[np.int32]
    images: str
    perplexity: float = PERPLEXITY
    seed: int = SEED

    def suits(self, chosen: Chosen, perplexity: float, seed: int) -> bool:
        """Whether these are maps of just these images, with these settings."""
        return (
            (self.perplexity, self.seed) == (perplexity, seed)
            and np.array_equal(self.numbers, chosen.numbers)
            and self.images == chosen.digest
        )

    def frame(self, epoch: int, snapshot: Path, last: Path) -> Frame | None:
        """The finished map of a snapshot, or None where its file or the last epoch's file, which
        the map is aligned with, is another one by now."""
        final = max(self.positions)
        held = [(epoch, snapshot), (final, last)]
        if any(self.digests.get(number) != digest(path) for number, path in held):
            return None
        total = sum(steps for steps, _, _ in (COLD if epoch == final else WARM))
        return Frame(self.positions[epoch], total, total, self.kl[epoch])


def file_of(last: Path) -> Path:
    """Where the maps of a checkpoint are, once they are."""
    return last.with_name(last.stem + SUFFIX)


def digest(path: Path) -> str:
    """A text that changes with a checkpoint's family, settings and weights, and with nothing else:
    a name or a metric may be added to its header. Raises CheckpointError for a damaged file."""
    info = checkpoint.peek(path)
    data = path.read_bytes()
    weights = data[8 + int.from_bytes(data[:8], "little") :]
    about = json.dumps([VERSION, info.family, info.config], sort_keys=True)
    return hashlib.sha256(about.encode() + b"\0" + weights).hexdigest()


def choose(known: Dataset, everything: Dataset, n: int) -> Chosen:
    """n test images of ``known``, spread over the test set, fewer where there are fewer.

    The order is always the same: 500 points are among the 2,000, and a link shows the same map.
    """
    import torch

    from genlib.explore.projection import MAX_POINTS

    of_known = torch.isin(everything.test_y, known.test_y.unique()).nonzero().flatten().numpy()
    total = min(len(known.test_x), MAX_POINTS)
    rows = np.sort(np.random.default_rng(0).permutation(total)[:n])
    return Chosen(rows, of_known[rows].astype(np.int32), known.test_x.numpy()[rows])


def has_maps(info: Info) -> bool:
    """Whether the page would show a t-SNE of this model first: it has more than two latents."""
    return "Encodes" in info.capabilities and info.config.get("latent_dim") != 2


def read(last: Path) -> Maps | None:
    """The maps next to a checkpoint; None where there are none that can be read."""
    try:
        with np.load(file_of(last), allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            epochs = [int(e) for e in file["epochs"]]
            positions = file["positions"].astype(np.float32)
            numbers = file["numbers"].astype(np.int32)
            if positions.shape != (len(epochs), len(numbers), 2):
                return None
            return Maps(
                dict(zip(epochs, positions, strict=True)),
                dict(zip(epochs, map(float, file["kl"]), strict=True)),
                dict(zip(epochs, map(str, about["digests"]), strict=True)),
                numbers,
                str(about["images"]),
                float(about["perplexity"]),
                int(about["seed"]),
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def write(last: Path, maps: Maps) -> Path:
    """Store maps next to a checkpoint, positions in half precision; returns the file."""
    epochs = sorted(maps.positions)
    about = {
        "digests": [maps.digests[e] for e in epochs],
        "images": maps.images,
        "perplexity": maps.perplexity,
        "seed": maps.seed,
    }
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        epochs=np.array(epochs, np.int32),
        positions=np.stack([maps.positions[e] for e in epochs]).astype(np.float16),
        kl=np.array([maps.kl[e] for e in epochs], np.float32),
        numbers=maps.numbers,
        about=np.array(json.dumps(about)),
    )
    path = file_of(last)
    write_bytes(path, buffer.getvalue())
    return path


def compute(info: Info, progress: Progress = lambda text: None) -> Maps:
    """The maps of a checkpoint and its snapshots, each aligned with that of the last epoch.

    Raises ValueError where the dataset is missing or a model has too few latents or codes.
    """
    everything = datasets.load(info.dataset)
    if everything.name != info.dataset:
        raise ValueError(f"the maps of {info.name} need {info.dataset}: {everything.note}")
    chosen = choose(everything.only(str(info.train.get("classes", ""))), everything, POINTS)
    positions: dict[int, Array] = {}
    kl: dict[int, float] = {}
    digests: dict[int, str] = {}
    start = None
    for epoch, path in reversed(info.snapshots):  # the last epoch first: the others start from it
        progress(f"{info.name}, epoch {epoch}")
        *_, frame = TSNE(_codes(path, chosen), PERPLEXITY, SEED, start).frames()
        positions[epoch], kl[epoch], digests[epoch] = frame.positions, frame.kl, digest(path)
        start = frame.positions if start is None else start
    return Maps(positions, kl, digests, chosen.numbers, chosen.digest)


def _codes(path: Path, chosen: Chosen) -> Array:
    import torch

    model = checkpoint.load(path)
    if not isinstance(model, Encodes):
        raise TypeError(f"{path.name} does not encode")
    with torch.no_grad():
        return model.embed(to_float(torch.from_numpy(chosen.pictures))).numpy()


def is_current(info: Info) -> bool:
    """Whether the stored maps are of this checkpoint and all its snapshots as they are now."""
    maps = read(info.path)
    if maps is None or (maps.perplexity, maps.seed) != (PERPLEXITY, SEED):
        return False
    return maps.digests == {epoch: digest(path) for epoch, path in info.snapshots}
