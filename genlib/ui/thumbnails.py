"""The pictures of Home's gallery, drawn from the checkpoints that are there.

Each is 224 x 168 pixels, most of them four by three digits at twice their size. This module imports
torch; genlib/ui/gallery.py imports it in the background, after the first paint.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from genlib.checkpoint import Info
from genlib.datasets import Dataset, to_float
from genlib.explore import pictures
from genlib.explore.ascent import Ascent
from genlib.explore.knobs import Knobs
from genlib.explore.lens import Lens, Network
from genlib.models.base import Decodes, Denoises, Encodes, HasEnergy, Reconstructs
from genlib.models.denoising import CORRUPTIONS
from genlib.ui import images, loading, thumbnails_together

Picture = NDArray[np.uint8]
Draw = Callable[["Shelf"], Picture]

WIDTH, HEIGHT = 224, 168
COLUMNS, ROWS, SCALE = 4, 3, 2
VERBS = {"Denoises": "removes noise", "Classifies": "classifies", "HasEnergy": "has an energy"}
INK = (11, 23, 24)  # behind curves and points, in both themes
DIGIT_COLOURS = (
    *("#6ea4ff", "#ff9d45", "#4fd07f", "#ff6f75", "#b794ff"),
    *("#c99a83", "#ff8fd3", "#a9b8be", "#e0d43c", "#3fd6e8"),
)


class Shelf:
    """The checkpoints to draw from, and the digits to draw with."""

    def __init__(self, infos: list[Info]) -> None:
        self.infos = infos
        self.data: Dataset = loading.dataset()

    def find(self, capability: str, *names: str) -> Info:
        """The first of `names` that is there, else any checkpoint with the capability.

        Raises LookupError where none has it.
        """
        able = [info for info in self.infos if capability in info.capabilities]
        by_name = {info.name: info for info in able}
        for name in names:
            if name in by_name:
                return by_name[name]
        if not able:
            raise LookupError(f"No checkpoint here {VERBS.get(capability, capability)} yet.")
        return able[0]

    def digits(self, classes: tuple[int, ...]) -> Tensor:
        """The first test image of each class: (n, 1, 28, 28) in [0, 1]."""
        rows = [int((self.data.test_y == c).nonzero()[0]) for c in classes]
        return to_float(self.data.test_x[rows])


def tiled(x: Tensor) -> Picture:
    """(12, 1, 28, 28) in [0, 1] -> (168, 224): four columns, three rows, twice the size."""
    grid = images.grid_image(x, COLUMNS, gap=0)
    return grid.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


@torch.no_grad()
def epochs(shelf: Shelf) -> Picture:
    """Four digits reconstructed by the same model untrained, half way and at the end."""
    info = shelf.find("Reconstructs", "vae-20", "ae-30")
    stops = info.snapshots
    x = shelf.digits((3, 7, 5, 0))
    rows = []
    for _, path in (stops[0], stops[min(1, len(stops) - 1)], stops[-1]):
        model = loading.model(path)
        assert isinstance(model, Reconstructs)
        rows.append(_on(model, model.reconstruct, x))
    return tiled(torch.cat(rows))


def curves(shelf: Shelf) -> Picture:
    """The training loss of each checkpoint over its epochs, each scaled to its own range."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), INK)
    pen = ImageDraw.Draw(canvas)
    for index, info in enumerate(shelf.infos):
        losses = [row["train/loss"] for row in info.history if "train/loss" in row]
        if len(losses) < 2 or max(losses) == min(losses):
            continue
        low, high = min(losses), max(losses)
        points = [
            (
                14 + i * (WIDTH - 28) / (len(losses) - 1),
                14 + (1 - (loss - low) / (high - low)) * (HEIGHT - 28),
            )
            for i, loss in enumerate(losses)
        ]
        pen.line(points, fill=DIGIT_COLOURS[index % 10], width=3, joint="curve")
    return np.asarray(canvas)


@torch.no_grad()
def manifold(shelf: Shelf) -> Picture:
    """What a decoder makes of a grid over two latent dimensions."""
    model = loading.model(shelf.find("Decodes", "vae-2", "vae-20"))
    assert isinstance(model, Decodes)
    across, down = torch.linspace(-1.6, 1.6, COLUMNS), torch.linspace(1.3, -1.3, ROWS)
    z = torch.zeros(ROWS * COLUMNS, model.latent_dim)
    z[:, 0] = across.repeat(ROWS)
    if model.latent_dim > 1:
        z[:, 1] = down.repeat_interleave(COLUMNS)
    return tiled(_on(model, model.decode, z))


@torch.no_grad()
def scatter(shelf: Shelf) -> Picture:
    """Codes of 3,000 test digits, the two widest dimensions, coloured by class."""
    model = loading.model(shelf.find("Encodes", "vae-2", "vae-20"))
    assert isinstance(model, Encodes)
    z = _on(model, model.embed, to_float(shelf.data.test_x[:3000])).numpy()
    labels = shelf.data.test_y[:3000].tolist()
    widest = np.sort(np.argsort(z.var(0))[::-1][:2])
    z = z[:, widest] if z.shape[1] > 1 else np.repeat(z, 2, axis=1)
    low, high = np.quantile(z, 0.01, axis=0), np.quantile(z, 0.99, axis=0)
    place = (z - low) / np.maximum(high - low, 1e-6) * [WIDTH - 24, HEIGHT - 24] + 12
    canvas = Image.new("RGB", (WIDTH, HEIGHT), INK)
    pen = ImageDraw.Draw(canvas)
    for (px, py), label in zip(place, labels, strict=True):
        pen.ellipse((px - 1.5, py - 1.5, px + 1.5, py + 1.5), fill=DIGIT_COLOURS[label % 10])
    return np.asarray(canvas)


@torch.no_grad()
def difference(shelf: Shelf) -> Picture:
    """Four digits, their reconstructions, and the absolute difference."""
    model = loading.model(shelf.find("Reconstructs", "ae-30"))
    assert isinstance(model, Reconstructs)
    x = shelf.digits((2, 4, 9, 6))
    x_hat = _on(model, model.reconstruct, x)
    return tiled(torch.cat([x, x_hat, (x - x_hat).abs()]))


@torch.no_grad()
def denoised(shelf: Shelf) -> Picture:
    """Four digits with half of their pixels dropped, what the model gives back, the truth."""
    model = loading.model(shelf.find("Denoises", "dae-500"))
    assert isinstance(model, Denoises)
    x = shelf.digits((5, 0, 3, 9))
    x_bad, _ = CORRUPTIONS["dropout"](x, 0.5, torch.Generator().manual_seed(0))
    return tiled(torch.cat([x_bad, _on(model, model.denoise, x_bad), x]))


@torch.no_grad()
def merged(shelf: Shelf) -> Picture:
    """A 3 turning into a 6: the merge, its reconstruction, and its energy as a bar."""
    model = loading.model(shelf.find("HasEnergy", "dae-500"))
    assert isinstance(model, HasEnergy)
    a, b = shelf.digits((3, 6))
    alphas = torch.linspace(0, 1, COLUMNS).view(-1, 1, 1, 1)
    x = (1 - alphas) * a + alphas * b
    x_hat = _on(model, model.reconstruct, x) if isinstance(model, Reconstructs) else x
    energy = _on(model, model.energy, x)
    bars = torch.zeros_like(x)
    for bar, share in zip(bars, energy / energy.max(), strict=True):
        bar[:, 28 - int(26 * share) :, 8:20] = 0.75
    return tiled(torch.cat([x, x_hat, bars]))


def classes(shelf: Shelf) -> Picture:
    """Noise climbing the score of 0, 2, 3 and 8: at the start, after 15 steps and after 120."""
    lens = _lens(shelf)
    rng = torch.Generator().manual_seed(0)
    knobs = Knobs(lr=0.05, l2=0.5, jitter=2, blur_every=5, normalise=True, rotate=15.0)
    noise = 0.2 * torch.rand((COLUMNS, *lens.network.shape), generator=rng)
    climb = Ascent(lens, noise, (0, 2, 3, 8), knobs, rng)
    rows = []
    for stop in (0, 15, 120):
        while climb.step < stop:
            climb.advance()
        rows.append(climb.image.detach().cpu())
    return tiled(torch.cat(rows))


def dream(shelf: Shelf) -> Picture:
    """A photograph as it is, and to the right as a layer of the classifier likes it better."""
    lens = _lens(shelf)
    grey = lens.network.shape[0] == 1
    photo = pictures.decode(pictures.sample("flower"), round(HEIGHT * 1.6), grey, HEIGHT)
    left = (photo.shape[-1] - WIDTH) // 2
    photo = photo[..., :HEIGHT, left : left + WIDTH]
    layer = lens.layers[2 * len(lens.layers) // 3].name
    knobs = Knobs("layer activation", layer, lr=0.03, jitter=8, normalise=True, octaves=3)
    climb = Ascent(lens, photo, (0,), knobs, torch.Generator().manual_seed(0))
    while climb.step < 30:
        climb.advance()
    both = photo.clone()
    both[..., WIDTH // 3 :] = climb.image.detach().cpu()[..., WIDTH // 3 :]
    both[..., WIDTH // 3 - 1 : WIDTH // 3 + 1] = 1.0
    return images.grid_image(both, 1, gap=0)


def _lens(shelf: Shelf) -> Lens:
    info = shelf.find("Classifies", "classifier")
    model = loading.model(info)
    names = tuple(shelf.data.classes)
    network = Network(info.name, info.name, model, names, model.config.shape, smallest=12)
    return Lens(network, next(model.parameters()).device, torch.float32)


def _on(model: object, method: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Call a model's method with x on the model's device; the answer on the CPU."""
    assert isinstance(model, torch.nn.Module)
    return method(x.to(next(model.parameters()).device)).cpu()


# page file -> how its picture is drawn
DRAWINGS: dict[str, Draw] = {
    "latents/latent_space.py": manifold,
    "latents/latent_map.py": scatter,
    "energy/merged_digits.py": merged,
    "energy/denoise.py": denoised,
    "latents/reconstructions.py": difference,
    "classifiers/class_images.py": classes,
    "classifiers/deep_dream.py": dream,
    "adversarial/gan.py": thumbnails_together.generated,
    "boltzmann/rbm.py": thumbnails_together.dreamt,
    "autoregressive/pixelcnn.py": thumbnails_together.pixel_by_pixel,
    "together/one_digit.py": thumbnails_together.one_digit,
    "together/pca.py": thumbnails_together.eigen,
    "together/likelihood.py": thumbnails_together.bench,
    "together/map_of_models.py": thumbnails_together.many,
    "train/train.py": epochs,
    "train/runs.py": curves,
}
