"""The parts of the page of PCA and mixtures: eigen-digits, a digit in few axes, samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib.datasets import Dataset, to_float
from genlib.explore.pca import Components, Moment, nearest_in
from genlib.models.base import HasComponents, Samples
from genlib.models.pca import PCA
from genlib.plots.kernels import diverging
from genlib.ui import loading
from genlib.ui.picture_table import Card, Row, cards, grey, picture_table

AXES_SHOWN = 24
SAMPLES = 10


def eigen_digits(found: Components, shape: tuple[int, ...]) -> None:
    """The mean and the first axes as pictures, each with its share of the variance."""
    pictures = [np.repeat(grey(_image(found.mean, shape))[..., None], 3, axis=2)]
    captions = ["mean"]
    shares = found.variances / found.variances.sum()
    for index in range(min(AXES_SHOWN - 1, len(found.axes))):
        pictures.append(signed(found.axes[index], shape))
        captions.append(f"{index + 1}: {shares[index]:.1%}")
    per = 12
    rows = [
        Row("" if i else "Mean and axes", "" if i else "share of the variance",
            np.stack(pictures[i : i + per]), captions[i : i + per])
        for i in range(0, len(pictures), per)
    ]  # fmt: skip
    picture_table(rows)


def signed(flat: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A signed vector (P,) as a picture (H, W, 3): red adds ink, blue takes it away."""
    image = _image(flat, shape)
    return diverging(image, float(np.abs(image).max()))


def _image(flat: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.floating]:
    return np.asarray(flat).reshape(shape).mean(axis=0)


@torch.no_grad()
def one_digit(x: Tensor, model: PCA) -> None:
    """A digit (C, H, W) and its projection on the model's axes, with the error."""
    back = model.reconstruct(x[None])[0]
    error = float((back - x).square().sum())
    names = f"{model.latent_dim} axes"
    cards(
        [
            Card("The digit", grey(loading.cpu(x.mean(0))), "", "784 numbers"),
            Card(names, grey(loading.cpu(back.mean(0))), f"{error:.1f}", "squared error"),
        ]
    )


@torch.no_grad()
def samples(rows: Sequence[tuple[str, str, Samples]], data: Dataset, seed: int) -> None:
    """A row of samples for each (title, detail, model), under a row of real digits."""
    rng = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(data.test_x), generator=rng)[:SAMPLES]
    shown = [Row("Real", "test digits", _grey(to_float(data.test_x[chosen])))]
    for title, detail, model in rows:
        drawn = model.sample(SAMPLES, torch.Generator().manual_seed(seed))
        shown.append(Row(title, detail, _grey(drawn)))
    picture_table(shown)


def moments(moments: Sequence[Moment], found: Components, shape: tuple[int, ...]) -> None:
    """Columns of the decoder, PCA's axes, and the same axes as the decoder can make them."""
    decoder = moments[-1].decoder
    k = min(decoder.shape[1], 10)
    axes = found.axes[:k]
    near = nearest_in(decoder, axes)
    cosines = (near * axes).sum(axis=1).clip(-1, 1)
    off = [f"{np.degrees(np.arccos(c)):.1f}° off" for c in cosines]
    picture_table(
        [
            Row("Decoder", "its columns", _signed_row(decoder.T[:k], shape)),
            Row("PCA", "axes", _signed_row(axes, shape)),
            Row("Decoder, turned", "nearest to each axis", _signed_row(near, shape), off),
        ]
    )


def _signed_row(rows: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.stack([signed(row, shape) for row in rows])


@torch.no_grad()
def component_means(model: HasComponents, most: int = 30) -> list[int]:
    """The heaviest components' mean images with their shares; returns their numbers."""
    weights = loading.cpu(model.weights())
    order = np.argsort(-weights)[:most]
    means = _grey(model.component_means()[torch.from_numpy(order.copy())])
    captions = [f"{k}: {weights[k]:.1%}" for k in order]
    per = 10
    picture_table(
        [
            Row("" if i else "Means", "" if i else "number: share",
                *_padded(means[i : i + per], captions[i : i + per], min(per, len(order))))
            for i in range(0, len(order), per)
        ]
    )  # fmt: skip
    return [int(k) for k in order]


def _padded(
    images: NDArray[np.uint8], captions: list[str], n: int
) -> tuple[NDArray[np.uint8], list[str]]:
    """The last row filled up with empty pictures: all rows must be as long."""
    missing = n - len(images)
    blank = np.zeros((missing, *images.shape[1:]), np.uint8)
    return np.concatenate([images, blank]), [*captions, *[""] * missing]


@torch.no_grad()
def component(model: HasComponents, k: int, data: Dataset, seed: int) -> None:
    """Samples of one component, and the test digits that belong to it most surely."""
    rng = torch.Generator().manual_seed(seed)
    drawn = model.sample_of(torch.full((SAMPLES,), k), rng)
    x = to_float(data.test_x[:2000])
    device = drawn.device
    p = torch.cat([model.responsibilities(part.to(device))[:, k] for part in x.split(500)]).cpu()
    members = p.argsort(descending=True, stable=True)[:SAMPLES]
    labels = [f"{data.classes[int(data.test_y[i])]}: {float(p[i]):.2f}" for i in members]
    picture_table(
        [
            Row(f"Component {k}", "drawn from it", _grey(drawn)),
            Row("Members", "class: p(k | x)", _grey(x[members]), labels),
        ]
    )
    st.caption(f"{float((p > 0.5).float().mean()):.1%} of 2,000 test digits belong to it.")


def _grey(x: Tensor) -> NDArray[np.uint8]:
    return grey(loading.cpu(x.mean(1)))
