"""Home's pictures of the pages that show models side by side; 224 x 168 pixels as the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from genlib.explore import pca
from genlib.explore.changes import CHANGES
from genlib.models.base import Reconstructs, Samples
from genlib.plots.kernels import diverging
from genlib.ui import images, likelihood_data, loading

if TYPE_CHECKING:
    from genlib.ui.thumbnails import Shelf

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 224, 168
INK, LINE, PAPER = (11, 23, 24), (90, 130, 132), (238, 243, 243)
HOW_COLOURS = {"exact": "#4fd07f", "estimate": "#b794ff", "bound": "#6ea4ff"}


def _enlarged(x: Tensor, columns: int) -> Picture:
    return images.grid_image(x, columns, gap=0).repeat(2, axis=0).repeat(2, axis=1)


def _device(model: object) -> torch.device:
    assert isinstance(model, torch.nn.Module)
    return next(model.parameters()).device


@torch.no_grad()
def one_digit(shelf: Shelf) -> Picture:
    """A digit as it is, turned, inverted and noisy; below what two models make of it."""
    x = shelf.digits((4,))
    names = ("turn", "invert", "noise")
    rows = [torch.cat([x, *(CHANGES[n].apply(x, CHANGES[n].start, x[0]) for n in names)])]
    for wanted in (("vae-20", "vae-2"), ("dae-500", "ae-30")):
        model = loading.model(shelf.find("Reconstructs", *wanted))
        assert isinstance(model, Reconstructs)
        rows.append(model.reconstruct(rows[0].to(_device(model))).cpu())
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
    own = [r for r in likelihood_data.rows_of(shelf.infos) if r.pixels == "binary"]
    points = [(r.value, HOW_COLOURS[r.how]) for r in own]
    points += [((p.low + p.high) / 2, "") for p in likelihood_data.PUBLISHED]
    points = sorted(point for point in points if point[0] < 130)[:9]
    low, high = points[0][0], max(points[-1][0], points[0][0] + 1)
    canvas = Image.new("RGB", (WIDTH, HEIGHT), INK)
    pen = ImageDraw.Draw(canvas)
    for row, (value, colour) in enumerate(points):
        x, y = 22 + (value - low) / (high - low) * (WIDTH - 48), 16 + row * (HEIGHT - 24) / 9
        pen.line((10, y, WIDTH - 10, y), fill=(40, 62, 64))
        box = (x - 5, y - 5, x + 5, y + 5)
        pen.ellipse(box, fill=colour or INK, outline=colour or PAPER, width=2)
    return np.asarray(canvas)


@torch.no_grad()
def many(shelf: Shelf) -> Picture:
    """A tree whose four leaves are samples, each of another model where there are so many."""
    able = [i for i in shelf.infos if {"Samples"} <= i.capabilities]
    able = [i for i in able if i.config.get("image_size") == 28 and i.config.get("channels") == 1]
    if not able:
        raise LookupError("No checkpoint here draws new images yet.")
    by_family = list({info.family: info for info in reversed(able)}.values())
    canvas = Image.new("RGB", (WIDTH, HEIGHT), INK)
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


def dreamt(shelf: Shelf) -> Picture:
    """Where Gibbs chains of an RBM end that began in noise."""
    return _samples(shelf, "GibbsSamples", "rbm-500")


def pixel_by_pixel(shelf: Shelf) -> Picture:
    """What a PixelCNN draws."""
    return _samples(shelf, "Autoregressive", "pixelcnn")
