"""The page of PCA and mixtures: eigen-digits, a digit in few axes, samples, live training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from genlib import background
from genlib.background import Job
from genlib.data.datasets import Dataset, to_float
from genlib.explore.pca import Components, Moment, nearest_in
from genlib.models.capabilities import HasComponents, Samples
from genlib.models.pca import PCA
from genlib.plots.pca import angles_figure
from genlib.ui.kit import guard, loading
from genlib.ui.kit.jobs import within_limits
from genlib.ui.kit.picture_table import PictureCard, PictureRow, cards, grey, picture_table
from genlib.ui.kit.plain import plain
from genlib.ui.kit.signed import signed as in_theme
from genlib.ui.side_by_side.pca import data as pca_data

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
        PictureRow(
            "" if i else "Mean and axes",
            "" if i else "share of the variance",
            np.stack(pictures[i : i + per]),
            captions[i : i + per],
        )
        for i in range(0, len(pictures), per)
    ]
    picture_table(rows)


def signed(flat: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A signed vector (P,) as a picture (H, W, 3): red adds ink, blue removes it."""
    image = _image(flat, shape)
    return in_theme(image, float(np.abs(image).max()))


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
            PictureCard("The digit", grey(loading.cpu(x.mean(0))), "", "784 numbers"),
            PictureCard(names, grey(loading.cpu(back.mean(0))), f"{error:.1f}", "squared error"),
        ]
    )


@torch.no_grad()
def samples(rows: Sequence[tuple[str, str, Samples]], data: Dataset, seed: int) -> None:
    """A row of samples for each (title, detail, model), under a row of real digits."""
    rng = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(data.test_x), generator=rng)[:SAMPLES]
    shown = [PictureRow("Real", "test digits", _grey(to_float(data.test_x[chosen])))]
    for title, detail, model in rows:
        drawn = model.sample(SAMPLES, torch.Generator().manual_seed(seed))
        shown.append(PictureRow(title, detail, _grey(drawn)))
    picture_table(shown)


def moment_pictures(moments: Sequence[Moment], found: Components, shape: tuple[int, ...]) -> None:
    """Columns of the decoder, PCA's axes, and the same axes as the decoder can make them."""
    decoder = moments[-1].decoder
    k = min(decoder.shape[1], 10)
    axes = found.axes[:k]
    near = nearest_in(decoder, axes)
    cosines = (near * axes).sum(axis=1).clip(-1, 1)
    off = [f"{np.degrees(np.arccos(c)):.1f}° off" for c in cosines]
    picture_table(
        [
            PictureRow("Decoder", "its columns", _signed_row(decoder.T[:k], shape)),
            PictureRow("PCA", "axes", _signed_row(axes, shape)),
            PictureRow("Decoder, turned", "nearest to each axis", _signed_row(near, shape), off),
        ]
    )


def _signed_row(rows: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.stack([signed(row, shape) for row in rows])


@torch.no_grad()
def heaviest(model: HasComponents, most: int = 30) -> list[int]:
    """The numbers of the components with the largest shares, largest first."""
    return [int(k) for k in np.argsort(-loading.cpu(model.weights()))[:most]]


@torch.no_grad()
def component_means(model: HasComponents, order: Sequence[int]) -> None:
    """The mean images of these components, with their shares."""
    weights = loading.cpu(model.weights())
    means = _grey(model.component_means()[torch.tensor(order)])
    captions = [f"{k}: {weights[k]:.1%}" for k in order]
    per = 10
    picture_table(
        [
            PictureRow(
                "" if i else "Means",
                "" if i else "number: share",
                *_padded(means[i : i + per], captions[i : i + per], min(per, len(order))),
            )
            for i in range(0, len(order), per)
        ]
    )


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
            PictureRow(f"Component {k}", "drawn from it", _grey(drawn)),
            PictureRow("Members", "class: p(k | x)", _grey(x[members]), labels),
        ]
    )
    st.caption(f"{float((p > 0.5).float().mean()):.1%} of 2,000 test digits belong to it.")


def _grey(x: Tensor) -> NDArray[np.uint8]:
    return grey(loading.cpu(x.mean(1)))


OWN = "Fit here"


class Mixed(HasComponents, Samples, Protocol):
    """A mixture that can be sampled."""


def autoencoder(data: Dataset, found: Components) -> bool:
    """Train a linear autoencoder and watch the angles shrink; returns whether it is training."""
    k, job = _autoencoder_controls(data)
    busy = job is not None and job.busy
    moments = job.result if job is not None and isinstance(job.result, list) else []
    if job is not None and job.state == "failed":
        st.warning(
            f"The autoencoder could not be trained. {plain(job.error)}", icon=":material/warning:"
        )
    if not moments:
        if busy:
            st.progress(0.0, "Waiting for a free core")
        else:
            st.info("Press Train: it takes a few seconds.", icon=":material/play_arrow:")
        return busy
    now = moments[-1]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _angles(moments, busy)
    with right:
        moment_pictures(moments, found, data.shape)
    best = float(found.variances[k:].sum())
    st.markdown(
        f"Step {now.step}: error **{now.loss:.3f}**, PCA's is {best:.3f}, the smallest possible. "
        f"Largest angle **{now.angles[-1]:.1f}°**, mean {now.angles.mean():.1f}°."
    )
    return busy


def _autoencoder_controls(data: Dataset) -> tuple[int, Job | None]:
    """Units of the code, and the training of that size, if one was begun."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        k = st.select_slider(
            "Units",
            (2, 3, 4, 6, 8, 10),
            6,
            key="pca.units",
            width=220,
            bind="query-params",
            help="Numbers in the code.",
        )
        seed = st.number_input(
            "Seed",
            0,
            99,
            0,
            key="pca.ae_seed",
            width=130,
            bind="query-params",
            help="Seed of the initial weights.",
        )
        job = background.find(pca_data.autoencoder_job(data.name, k, seed))
        busy = job is not None and job.busy
        st.button(
            "Train",
            icon=":material/play_arrow:",
            type="primary",
            key="pca.train",
            on_click=_train,
            args=(data.name, k, seed),
            disabled=job is not None and (busy or job.state == "done"),
            help="Adam on all training digits at once, 400 steps. Once trained, change units or "
            "seed to train another.",
        )
        if busy and job is not None:
            st.button("Stop", icon=":material/stop:", key="pca.stop", on_click=job.cancel)
    return k, job


def _angles(moments: list[Moment], busy: bool) -> None:
    """The angles over steps; a plain chart while they come, since Plotly flickers."""
    steps, angles = [m.step for m in moments], np.stack([m.angles for m in moments])
    if busy:
        lines = {f"angle {i + 1}": angles[:, i] for i in range(angles.shape[1])}
        st.line_chart({"step": steps, **lines}, x="step", y_label="angle, degrees", height=320)
    else:
        st.plotly_chart(angles_figure(steps, angles, pca_data.STEPS), key="pca.angles")


def mixture(data: Dataset, seed: int, below: DeltaGenerator) -> bool:
    """A trained mixture, or one of as many components as wanted, fitted live; whether it is.

    Samples by one Gaussian and by the mixture go into ``below``.
    """
    row = st.container(horizontal=True, vertical_alignment="bottom")
    model, d, busy = _choose(data, row)
    if model is None:
        if not busy:
            st.info("Press Fit: it takes a few seconds.", icon=":material/play_arrow:")
        return busy
    order = heaviest(model)
    chosen = row.selectbox(
        "Component",
        order,
        key="pca.component",
        bind="query-params",
        width=220,
        help="Shows its samples and the digits that belong to it.",
    )
    component(model, order[0] if chosen is None else chosen, data, 0)
    component_means(model, order)
    axes = pca_data.exact_pca(data.name, d)
    rows: list[tuple[str, str, Samples]] = [
        ("One Gaussian", f"PCA, {axes.latent_dim} axes", axes),
        ("Mixture", f"{len(model.weights())} Gaussians", model),
    ]
    with below.container():
        samples(rows, data, seed)
    return busy


def _choose(data: Dataset, row: DeltaGenerator) -> tuple[Mixed | None, int, bool]:
    """The mixture to show (None: not fitted yet), its number of axes, whether it goes on.

    The controls go into ``row``.
    """
    shelf = {i.name: i for i in loading.checkpoints("HasComponents", "Samples")}
    names = [i.name for i in shelf.values() if loading.takes(i, data.shape)]
    source = row.selectbox(
        "Mixture",
        [*names, OWN],
        key="pca.mixture",
        width=220,
        bind="query-params",
        help="A trained mixture, or one that you fit now.",
    )
    if source in names:
        axes = int(str(shelf[source].config.get("latent_dim", pca_data.FIT_AXES)))
        return cast(Mixed, loading.model(shelf[source])), axes, False
    return _fitted(data, row)


def _fitted(data: Dataset, row: DeltaGenerator) -> tuple[Mixed | None, int, bool]:
    """The mixture fitted here, its number of axes, whether it goes on; controls are in ``row``."""
    k = row.select_slider(
        "Components",
        (1, 2, 3, 5, 10, 20, 30, 50),
        10,
        key="pca.components",
        width=260,
        bind="query-params",
        help="Gaussians in the mixture.",
    )
    job = background.find(pca_data.mixture_job(data.name, k))
    row.button(
        "Fit",
        icon=":material/play_arrow:",
        type="primary",
        key="pca.fit",
        on_click=_fit,
        args=(data.name, k),
        disabled=job is not None and (job.busy or job.state == "done"),
        help="EM on 20,000 digits and 30 axes. Disabled once it is fitted.",
    )
    if job is None:
        return None, pca_data.FIT_AXES, False
    if job.busy:
        row.button("Stop", icon=":material/stop:", key="pca.fit_stop", on_click=job.cancel)
        waiting = "Waiting for a free core" if job.state == "waiting" else job.text
        st.progress(job.share, waiting or "k-means places the first components")
    if job.state == "failed":
        said = f"The mixture could not be fitted. {plain(job.error)}"
        st.warning(said, icon=":material/warning:")
    if not isinstance(job.result, pca_data.Fit):
        return None, pca_data.FIT_AXES, job.busy
    nll = job.result.nll
    st.markdown(
        f"−log p(x) of 1,000 test digits: one Gaussian **{nll[0]:.1f}**, the mixture now "
        f"**{nll[-1]:.1f}** nats (a density of grey pixels: less is better, and it may be "
        "negative)."
    )
    return job.result.mixture, pca_data.FIT_AXES, job.busy


def _train(name: str, k: int, seed: int) -> None:
    within_limits(lambda: pca_data.train_autoencoder(name, k, seed, guard.visitor()))


def _fit(name: str, k: int) -> None:
    within_limits(lambda: pca_data.fit_mixture(name, k, guard.visitor()))
