"""What the page of PCA and mixtures computes: exact components, a linear autoencoder, mixtures."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import nn

from genlib import background
from genlib.background import Job
from genlib.data.datasets import Dataset, batch_sizes, batches, to_float
from genlib.explore import pca
from genlib.explore.pca import Components, Moment
from genlib.models.capabilities import Decodes
from genlib.models.mixture import Mixture, MixtureSettings
from genlib.models.pca import PCA, PCASettings
from genlib.store.checkpoint import Info
from genlib.ui.kit import loading

STEPS, EVERY, RATE = 400, 5, 1e-2  # of the linear autoencoder
FIT_IMAGES, FIT_EPOCHS, FIT_AXES, FIT_BATCH = 20_000, 5, 30, 500  # of a mixture fitted here


@st.cache_resource(max_entries=2, show_spinner="Finding the principal axes of all digits …")
def components(name: str) -> Components:
    """All principal components of a dataset's training images."""
    return pca.components(loading.dataset(name).train_x)


@st.cache_resource(max_entries=12, show_spinner=False)
def exact_pca(name: str, d: int) -> PCA:
    """Probabilistic PCA with the d widest of the exact axes; shared, not to be changed."""
    data, found = loading.dataset(name), components(name)
    channels, size, _ = data.shape
    with torch.random.fork_rng():
        made = PCA(PCASettings(channels=channels, image_size=size, latent_dim=d))
    fill(made, found)
    return made.eval().requires_grad_(False)


@torch.no_grad()
def fill(made: PCA, found: Components) -> None:
    """Give a PCA the exact axes, variances and noise."""
    d = made.latent_dim
    noise = max(found.noise(d), 1e-6)
    scale = np.sqrt(np.maximum(found.variances[:d] - noise, 0))
    made.linear.weight.copy_(torch.from_numpy(found.axes[:d].T * scale))
    made.linear.bias.copy_(torch.from_numpy(found.mean))
    made.log_noise.fill_(float(np.log(noise)))


# ---------------------------------------------------------------------- the linear autoencoder


def autoencoder_job(name: str, k: int, seed: int) -> str:
    """The name of the job that trains this linear autoencoder."""
    return f"linear-autoencoder {name} {k} {seed} {STEPS}"


def train_autoencoder(name: str, k: int, seed: int, owner: str = "") -> Job:
    """Train a linear autoencoder with k units; the result grows: a list of Moments.

    Raises LimitError when the visitor ``owner`` has too many jobs.
    """
    found = components(name)

    def work(job: Job) -> list[Moment]:
        moments: list[Moment] = []
        for moment in pca.train_linear(found, k, STEPS, seed, EVERY, RATE):
            moments = [*moments, moment]
            job.report(moment.step / STEPS, f"step {moment.step}", moments)
        return moments

    return background.restart(autoencoder_job(name, k, seed), work, owner=owner)


def linear_decoders(shape: tuple[int, ...]) -> list[Info]:
    """Checkpoints whose decoder is one matrix to such images (maybe with a nonlinearity after)."""
    # The settings alone say it, so that no model is loaded for the list.
    return [
        info
        for info in loading.checkpoints("Encodes", "Decodes")
        if loading.takes(info, shape) and info.config.get("hidden") in ([], ())
    ]


def decoder_matrix(info: Info) -> NDArray[np.float32]:
    """The matrix (pixels, d) of such a decoder."""
    shared = cast(Decodes, loading.model(info))
    first = cast(nn.Linear, shared.decoder_layers()[0])
    return loading.cpu(first.weight)


# --------------------------------------------------------------------------------- mixtures


@dataclass(frozen=True)
class Fit:
    """A mixture under way: the model so far, and -log p of 1,000 test images after each look."""

    mixture: Mixture
    nll: tuple[float, ...]


def mixture_job(name: str, k: int) -> str:
    """The name of the job that fits a mixture of k Gaussians."""
    return f"mixture {name} {k} {FIT_IMAGES}"


def fit_mixture(name: str, k: int, owner: str = "") -> Job:
    """Fit k Gaussians by EM on the exact axes; the result grows: a Fit.

    Raises LimitError when the visitor ``owner`` has too many jobs.
    """
    data, found = loading.dataset(name), components(name)
    return background.restart(
        mixture_job(name, k), lambda job: _fit(job, data, found, k), owner=owner
    )


@torch.no_grad()
def _fit(job: Job, data: Dataset, found: Components, k: int) -> Fit:
    channels, size, _ = data.shape
    settings = MixtureSettings(
        channels=channels, image_size=size, components=k, latent_dim=FIT_AXES, warm_up=1
    )
    made = Mixture(settings).eval().requires_grad_(False)
    fill(made.pca, found)
    made.pca.seen.fill_(len(data.train_x))
    made.factors.copy_(made.pca.variances().sqrt().diag().expand_as(made.factors))
    rng = torch.Generator().manual_seed(0)
    x, y = data.train_x[:FIT_IMAGES], data.train_y[:FIT_IMAGES]
    test = to_float(data.test_x[torch.randperm(len(data.test_x), generator=rng)[:1000]])
    total = FIT_EPOCHS * len(batch_sizes(len(x), FIT_BATCH))
    nll: tuple[float, ...] = (float(-made.log_density(test).mean()),)
    done = 0
    for _ in range(FIT_EPOCHS):
        for batch, _labels in batches(x, y, FIT_BATCH, rng):
            made.step(batch, _labels)
            done += 1
            if done % 10 == 0 or done == total:
                nll = (*nll, float(-made.log_density(test).mean()))
                now = Fit(deepcopy(made), nll)
                job.report(done / total, f"EM step {done} of {total}", now)
            else:
                job.report(done / total, job.text)
    return Fit(made, nll)
