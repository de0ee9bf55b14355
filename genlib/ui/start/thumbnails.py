"""The pictures of Home's gallery, drawn from the checkpoints that are there.

Each is 224 x 168 pixels, most of them four by three digits at twice their size. This module imports
torch; genlib/ui/start/gallery.py imports it in the background, after the first paint.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from genlib.data.adults import adults
from genlib.data.datasets import Dataset, to_float
from genlib.data.pictures import photographs
from genlib.explore import architecture, pca
from genlib.explore.ascent.climb import Ascent
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens, Network
from genlib.explore.changes import CHANGES
from genlib.models.base import Model
from genlib.models.capabilities import (
    Decodes,
    Denoises,
    Encodes,
    HasEnergy,
    HasMargin,
    Reconstructs,
    Samples,
)
from genlib.models.denoising import CORRUPTIONS
from genlib.plots.kernels import diverging
from genlib.store.checkpoint import Info
from genlib.ui.kit import images, likelihoods, loading

Picture = NDArray[np.uint8]
Draw = Callable[["Shelf"], Picture]

WIDTH, HEIGHT = 224, 168
COLUMNS, ROWS, SCALE = 4, 3, 2
VERBS = {
    "Denoises": "removes noise",
    "Classifies": "classifies",
    "HasEnergy": "has an energy",
    "HasMargin": "judges by an energy",
}
CELL = 14  # pixels of a cell that is stamped on
STAMPED = np.array(  # its colour by the number of stamps, 0 to 4
    [(16, 32, 31), (9, 60, 66), (11, 107, 116), (60, 150, 158), (170, 222, 226)], np.uint8
)
LINE, PAPER = (90, 130, 132), (238, 243, 243)
SEXES = ((255, 157, 69), (110, 164, 255))  # women, men: as on the page about them


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


def stamps(shelf: Shelf) -> Picture:
    """How many stamps of 3 x 3, two apart, meet in each cell: 1, 2 or 4."""
    counts = F.conv_transpose2d(torch.ones(1, 1, 7, 9), torch.ones(1, 1, 3, 3), stride=2)[0, 0]
    inner = counts[1 : 1 + HEIGHT // CELL, 1 : 1 + WIDTH // CELL].long().numpy()
    return STAMPED[inner].repeat(CELL, axis=0).repeat(CELL, axis=1)


def curves(shelf: Shelf) -> Picture:
    """The training loss of each checkpoint over its epochs, each scaled to its own range."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
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
        pen.line(points, fill=images.DIGIT_COLOURS[index % 10], width=3, joint="curve")
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


def scatter(shelf: Shelf) -> Picture:
    """Codes of 3,000 test digits, the two widest dimensions, coloured by class."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
    pen = ImageDraw.Draw(canvas)
    for (px, py), label in zip(*_codes(shelf), strict=True):
        pen.ellipse((px - 1.5, py - 1.5, px + 1.5, py + 1.5), fill=images.DIGIT_COLOURS[label % 10])
    return np.asarray(canvas)


def labelled(shelf: Shelf) -> Picture:
    """The same codes in grey, and two of each class with its colour."""
    places, labels = _codes(shelf)
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
    pen = ImageDraw.Draw(canvas)
    for px, py in places:
        pen.ellipse((px - 1.2, py - 1.2, px + 1.2, py + 1.2), fill=LINE)
    first = [k for c in range(10) for k in [n for n, y in enumerate(labels) if y == c][:2]]
    for k in first:
        (px, py), fill = places[k], images.DIGIT_COLOURS[labels[k] % 10]
        pen.ellipse((px - 6, py - 6, px + 6, py + 6), fill=fill, outline=PAPER, width=2)
    return np.asarray(canvas)


@torch.no_grad()
def _codes(shelf: Shelf) -> tuple[NDArray[np.float64], list[int]]:
    """Where 3,000 test digits are on a drawing (n, 2), and their classes."""
    model = loading.model(shelf.find("Encodes", "vae-2", "vae-20"))
    assert isinstance(model, Encodes)
    z = _on(model, model.embed, to_float(shelf.data.test_x[:3000])).numpy()
    labels = shelf.data.test_y[:3000].tolist()
    widest = np.sort(np.argsort(z.var(0))[::-1][:2])
    z = z[:, widest] if z.shape[1] > 1 else np.repeat(z, 2, axis=1)
    low, high = np.quantile(z, 0.01, axis=0), np.quantile(z, 0.99, axis=0)
    return (z - low) / np.maximum(high - low, 1e-6) * [WIDTH - 24, HEIGHT - 24] + 12, labels


def _people(pen: ImageDraw.ImageDraw, sex: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Draw heights and weights, of all or of one sex; returns them (N, 2) and their sexes (N,)."""
    people = adults()[::2]
    chosen = people[np.isin(people[:, 2], (0, 1) if sex is None else (sex,))]
    for (px, py), label in zip(_on_canvas(chosen[:, :2]), chosen[:, 2], strict=True):
        pen.ellipse((px - 1.5, py - 1.5, px + 1.5, py + 1.5), fill=SEXES[int(label)])
    return chosen[:, :2], chosen[:, 2]


def _on_canvas(points: np.ndarray) -> np.ndarray:
    """(N, 2) in cm and kg -> (N, 2) in pixels."""
    low, high = np.array([138, 28]), np.array([204, 112])
    share = (points - low) / (high - low)
    return np.column_stack([share[:, 0] * WIDTH, (1 - share[:, 1]) * HEIGHT])


def ellipses(shelf: Shelf) -> Picture:
    """Height and weight of women and men, and the Gaussian of each at one and two deviations."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
    pen = ImageDraw.Draw(canvas)
    points, sexes = _people(pen)
    turn = np.linspace(0, 2 * np.pi, 73)
    for sex, colour in enumerate(SEXES):
        x = points[sexes == sex]
        root = np.linalg.cholesky(np.cov(x.T))
        for r in (1, 2):
            edge = x.mean(axis=0) + r * np.column_stack([np.cos(turn), np.sin(turn)]) @ root.T
            pen.line([tuple(p) for p in _on_canvas(edge).tolist()], fill=colour, width=3)
    return np.asarray(canvas)


def regression(shelf: Shelf) -> Picture:
    """Women's weight by height, the line of least squares, and two deviations of its error."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
    pen = ImageDraw.Draw(canvas)
    points, _ = _people(pen, 0)
    slope, start = np.polyfit(points[:, 0], points[:, 1], 1)
    error = float((points[:, 1] - slope * points[:, 0] - start).std())
    z = np.array([138.0, 204.0])
    for k, width in ((-2, 2), (0, 4), (2, 2)):
        ends = _on_canvas(np.column_stack([z, slope * z + start + k * error]))
        pen.line([tuple(p) for p in ends.tolist()], fill=PAPER if k == 0 else LINE, width=width)
    return np.asarray(canvas)


def ring(shelf: Shelf) -> Picture:
    """What the GAN in the plane is to learn: eight Gaussians on a ring."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
    pen = ImageDraw.Draw(canvas)
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * rng.integers(8, size=600) / 8
    points = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.07 * rng.standard_normal((600, 2))
    for x, y in points * 62 + (WIDTH / 2, HEIGHT / 2):
        pen.rectangle((x - 1, y - 1, x + 1, y + 1), fill=SEXES[1])
    return np.asarray(canvas)


def inverse(shelf: Shelf) -> Picture:
    """Eight even numbers go across to a distribution function and down to two modes."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
    pen = ImageDraw.Draw(canvas)
    x = np.linspace(-3, 3, 200)
    p = np.exp(-0.5 * ((np.abs(x) - 1.2) / 0.35) ** 2)
    share = np.cumsum(p) / p.sum()
    place = np.column_stack([12 + (x + 3) / 6 * 200, 150 - share * 130])
    for u in (np.arange(8) + 0.5) / 8:
        to, height = place[int(np.searchsorted(share, u))]
        pen.line([(12, height), (to, height), (to, 150)], fill=LINE, width=1)
        pen.ellipse((to - 3, 147, to + 3, 153), fill=SEXES[0])
    pen.line([tuple(at) for at in place.tolist()], fill=PAPER, width=3)
    return np.asarray(canvas)


@torch.no_grad()
def blocks(shelf: Shelf) -> Picture:
    """A digit, the layers of an encoder and a decoder by how many numbers they give, its likeness.

    In even steps of the logarithm, as on the page.
    """
    model = loading.model(shelf.find("Reconstructs", "vae-20", "ae-30"))
    assert isinstance(model, Model) and isinstance(model, Reconstructs)
    x = shelf.digits((3,))
    pictures = torch.cat([x, _on(model, model.reconstruct, x)])
    parts = architecture.diagram(model).parts
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
    pen = ImageDraw.Draw(canvas)
    pen.line((12, HEIGHT // 2, WIDTH - 12, HEIGHT // 2), fill=LINE, width=2)
    bars = [(part, np.prod(bar.shape)) for part in parts for bar in part.blocks]
    largest = max((np.log(size) for _, size in bars), default=1.0)
    step = (WIDTH - 2 * 60) / (len(bars) + 1)  # the digits take 60 pixels at either side
    for k, (part, size) in enumerate(bars):
        x0 = 60 + step * (k + (part is not bars[0][0])) + 2
        half = 12 + 58 * np.log(size) / max(largest, 1.0)
        box = (x0, HEIGHT / 2 - half, x0 + step - 4, HEIGHT / 2 + half)
        pen.rounded_rectangle(box, 4, fill=(18, 104, 113), outline=(60, 150, 158), width=2)
    for left, picture in zip((2, WIDTH - 58), pictures, strict=True):
        tile = images.to_uint8(picture).repeat(2, axis=0).repeat(2, axis=1)
        canvas.paste(Image.fromarray(tile), (left, HEIGHT // 2 - 28))
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
    photo = photographs.decode(photographs.sample("flower"), round(HEIGHT * 1.6), grey, HEIGHT)
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
    return Lens(network, model.device, torch.float32)


def _on(model: object, method: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Call a model's method with x on the model's device; the answer on the CPU."""
    assert isinstance(model, Model)
    return method(x.to(model.device)).cpu()


HOW_COLOURS = {"exact": "#4fd07f", "estimate": "#b794ff", "bound": "#6ea4ff"}


def _enlarged(x: Tensor, columns: int) -> Picture:
    return images.grid_image(x, columns, gap=0).repeat(2, axis=0).repeat(2, axis=1)


@torch.no_grad()
def one_digit(shelf: Shelf) -> Picture:
    """A digit as it is, turned, inverted and noisy; below what two models make of it."""
    x = shelf.digits((4,))
    names = ("turn", "invert", "noise")
    rows = [torch.cat([x, *(CHANGES[n].apply(x, CHANGES[n].start, x[0]) for n in names)])]
    for wanted in (("vae-20", "vae-2"), ("dae-500", "ae-30")):
        model = loading.model(shelf.find("Reconstructs", *wanted))
        assert isinstance(model, Reconstructs)
        rows.append(_on(model, model.reconstruct, rows[0]))
    return _enlarged(torch.cat(rows), 4)


def eigen(shelf: Shelf) -> Picture:
    """The mean of 2,000 digits and their first eleven principal axes."""
    found = pca.components(shelf.data.test_x[:2000])
    shape = shelf.data.test_x.shape[1:]
    tiles = [np.repeat((found.mean.reshape(shape)[0] * 255).astype(np.uint8)[..., None], 3, 2)]
    for axis in found.axes[:11]:
        tiles.append(diverging(axis.reshape(shape)[0], float(np.abs(axis).max())))
    return images.grid_image(np.stack(tiles), 4, gap=0).repeat(2, axis=0).repeat(2, axis=1)


def bench(shelf: Shelf) -> Picture:
    """Likelihoods of black and white digits in nats, left is better; published ones hollow."""
    own = [r for r in likelihoods.rows_of(shelf.infos) if r.pixels == "binary"]
    points = [(r.value, HOW_COLOURS[r.how]) for r in own]
    points += [((p.low + p.high) / 2, "") for p in likelihoods.PUBLISHED]
    points = sorted(point for point in points if point[0] < 130)[:9]
    low, high = points[0][0], max(points[-1][0], points[0][0] + 1)
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
    pen = ImageDraw.Draw(canvas)
    for row, (value, colour) in enumerate(points):
        x, y = 22 + (value - low) / (high - low) * (WIDTH - 48), 16 + row * (HEIGHT - 24) / 9
        pen.line((10, y, WIDTH - 10, y), fill=(40, 62, 64))
        box = (x - 5, y - 5, x + 5, y + 5)
        pen.ellipse(box, fill=colour or images.INK, outline=colour or PAPER, width=2)
    return np.asarray(canvas)


@torch.no_grad()
def many(shelf: Shelf) -> Picture:
    """A tree whose four leaves are samples, each of another model where there are so many."""
    able = [i for i in shelf.infos if {"Samples"} <= i.capabilities]
    able = [i for i in able if i.config.get("image_size") == 28 and i.config.get("channels") == 1]
    if not able:
        raise LookupError("No checkpoint here draws new images yet.")
    by_family = list({info.family: info for info in reversed(able)}.values())
    canvas = Image.new("RGB", (WIDTH, HEIGHT), images.INK)
    pen = ImageDraw.Draw(canvas)
    lefts = [4 + 55 * leaf for leaf in range(4)]
    for left, parent in zip(lefts, (55, 55, 165, 165), strict=True):
        pen.line((parent + 2, 62, left + 25, 100), fill=LINE, width=2)
    for parent in (55, 165):
        pen.line((WIDTH // 2, 26, parent + 2, 62), fill=LINE, width=2)
        pen.rounded_rectangle((parent - 20, 53, parent + 24, 71), 6, fill=(18, 104, 113))
    pen.rounded_rectangle((WIDTH // 2 - 30, 14, WIDTH // 2 + 30, 36), 7, fill=(42, 155, 164))
    for leaf, left in enumerate(lefts):
        model = loading.model(by_family[leaf % len(by_family)])
        assert isinstance(model, Samples)
        x = model.sample(4, torch.Generator().manual_seed(1))[leaf % 4]
        tile = Image.fromarray(images.to_uint8(x).repeat(2, axis=0).repeat(2, axis=1))
        canvas.paste(tile.crop((3, 3, 53, 53)), (left, 100))
    return np.asarray(canvas)


@torch.no_grad()
def _samples(shelf: Shelf, capability: str, *names: str) -> Picture:
    """Twelve samples, four in a row, of a model that draws grey 28x28 images."""
    model = loading.model(shelf.find(capability, *names))
    assert isinstance(model, Samples)
    x = model.sample(12, torch.Generator().manual_seed(3)).cpu()
    if x.shape[1:] != (1, 28, 28):
        raise LookupError("The first model of this kind here draws no grey digits.")
    return _enlarged(x, 4)


def generated(shelf: Shelf) -> Picture:
    """What a GAN draws."""
    return _samples(shelf, "Judges", "dcgan-28", "gan-mlp")


@torch.no_grad()
def rebuilt(shelf: Shelf) -> Picture:
    """Two digits, a sample and noise; what the judge of an energy-based GAN makes of them; where
    it errs."""
    judge = loading.model(shelf.find("HasMargin", "ebgan"))
    assert isinstance(judge, HasMargin) and isinstance(judge, Samples)
    x = shelf.digits((3, 8))
    rng = torch.Generator().manual_seed(3)
    sample, noise = judge.sample(1, rng).cpu(), torch.rand((1, *x.shape[1:]), generator=rng)
    x = torch.cat([x, sample, noise])
    x_hat = _on(judge, judge.rebuild, x)
    return tiled(torch.cat([x, x_hat, (x - x_hat).abs()]))


@torch.no_grad()
def versus(shelf: Shelf) -> Picture:
    """Samples of a VAE, real digits, samples of a GAN."""
    vae = loading.model(shelf.find("Bounds", "vae-20"))
    gan = loading.model(shelf.find("Judges", "dcgan-28"))
    assert isinstance(vae, Samples) and isinstance(gan, Samples)
    rng = torch.Generator().manual_seed(3)
    drawn = [model.sample(COLUMNS, rng).cpu() for model in (vae, gan)]
    return tiled(torch.cat([drawn[0], shelf.digits((2, 4, 9, 6)), drawn[1]]))


def dreamt(shelf: Shelf) -> Picture:
    """Where Gibbs chains of an RBM end that began in noise."""
    return _samples(shelf, "GibbsSamples", "rbm-500")


def pixel_by_pixel(shelf: Shelf) -> Picture:
    """What a PixelCNN draws."""
    return _samples(shelf, "Autoregressive", "pixelcnn")


# Pages name their picture in ui/menu.py; a page without one gets a blank card.
DRAWINGS: dict[str, Draw] = {
    draw.__name__: draw
    for draw in (
        stamps,
        manifold,
        scatter,
        labelled,
        merged,
        denoised,
        difference,
        classes,
        dream,
        generated,
        versus,
        rebuilt,
        dreamt,
        pixel_by_pixel,
        one_digit,
        eigen,
        bench,
        many,
        epochs,
        curves,
        ellipses,
        regression,
        ring,
        inverse,
        blocks,
    )
}
