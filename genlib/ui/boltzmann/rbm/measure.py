"""The RBM page's measurement of log-likelihood by annealed importance sampling."""

from __future__ import annotations

import math
from typing import NamedTuple

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from genlib.background import Job
from genlib.data.datasets import to_float
from genlib.models.annealing import effective, log_mean
from genlib.models.capabilities import Annealed, HasFreeEnergy
from genlib.models.dbn import DRAWS
from genlib.models.layers import binarize
from genlib.plots.race import log_weights
from genlib.store.checkpoint import Info
from genlib.ui.kit import loading
from genlib.ui.kit.jobs import start_button, watch
from genlib.ui.kit.likelihoods import rows_of
from genlib.ui.kit.plain import plain

KEY = "rbm"
IMAGES = 2000  # test digits that are measured


class Annealing(NamedTuple):
    """A finished run: log weights (chains,) and log p* of the images (n,)."""

    log_w: torch.Tensor
    log_p: torch.Tensor


def anneal(job: Job, model: Annealed, x: torch.Tensor, chains: int, temperatures: int) -> Annealing:
    """AIS, then log p* of the images x (B, C, H, W) of 0 and 1; told to the job as it goes."""
    torch.set_num_threads(1)  # a second thread would take the cores of the pages
    rng, log_w = torch.Generator().manual_seed(0), torch.zeros(chains)
    for done, weights in enumerate(model.anneal(chains, temperatures, rng), 1):
        log_w = weights
        job.report(min(0.95, done / 105), "Annealing")
    parts = []
    with torch.no_grad():
        for part in x.split(250):
            job.report(0.96, "Measuring the digits")
            parts.append(model.unnormalised(part, rng))
    return Annealing(log_w.cpu(), torch.cat(parts).cpu())


def likelihood(info: Info, controls: DeltaGenerator, picture: DeltaGenerator) -> None:
    """Start AIS, watch it, cancel it, read the result."""
    model = loading.model(info)
    if not isinstance(model, Annealed):
        picture.info(f"{plain(info.name)} has no log Z that annealing could estimate.")
        return
    with controls:
        chains, temperatures = _size()

        def work(job: Job) -> Annealing:
            data = loading.pictures_of(info)
            order = torch.randperm(len(data.test_x), generator=torch.Generator().manual_seed(0))
            x = to_float(data.test_x[order[:IMAGES]])
            x = binarize(x, torch.Generator().manual_seed(0)).to(model.device)
            return anneal(job, model, x, chains, temperatures)

        name = f"ais {info.stamp} {chains} {temperatures}"

    def show(result: object) -> None:
        if isinstance(result, Annealing):
            _annealed(result, isinstance(model, HasFreeEnergy))

    with picture:
        start_button(name, KEY, "Estimate log p", work)
        watch(name, show, _before(info))


def _size() -> tuple[int, int]:
    """How many chains to anneal, over how many temperatures.

    At first as many as make the error bar valid: of rbm-500's 200 chains 27 count. With 100 and
    1000 it would be 2.
    """
    chains = st.selectbox(
        "Chains",
        [20, 50, 100, 200],
        3,
        key=f"{KEY}.ais_chains",
        bind="query-params",
        width=110,
        help="Annealed in parallel. More chains make the error bar smaller.",
    )
    temperatures = st.selectbox(
        "Temperatures",
        [200, 1000, 5000, 20_000],
        2,
        key=f"{KEY}.temperatures",
        bind="query-params",
        width=140,
        format_func="{:,}".format,
        help="Steps from independent pixels to the model. More steps make the weights more equal.",
    )
    return chains, temperatures


def _before(info: Info) -> str:
    """What to do, and what is known already: the number in the checkpoint's header."""
    said = "Press **Estimate log p** to measure these weights here."
    for row in rows_of([info]):
        if row.metric == "nll_ais":
            said += (
                f" {plain(info.name)}, {row.origin}: {row.value:.1f} ± {row.stderr:.1f} nats "
                f"({plain(row.data)})."
            )
    return said


def _annealed(result: Annealing, exact: bool) -> None:
    log_z, n = log_mean(result.log_w), len(result.log_p)
    nll = log_z.value - float(result.log_p.mean())
    stderr = math.hypot(log_z.stderr, float(result.log_p.std()) / math.sqrt(n))
    chains, worth = len(result.log_w), effective(result.log_w)
    with st.container(horizontal=True):
        st.metric("−log p(v), nats", f"{'' if exact else '≤ '}{nll:.1f} ± {stderr:.1f}")
        st.metric("log Z, nats", f"{log_z.value:.2f} ± {log_z.stderr:.2f}")
        st.metric("Chains that count", f"{worth:.1f} of {chains}")
    if worth < 3:
        st.warning(
            "A few chains carry the whole mean, so the error bar is too small and log Z too low. "
            "The model looks better than it is. Use more temperatures.",
            icon=":material/warning:",
        )
    st.caption(
        f"{n:,} test digits, dynamically binarized (seed 0), ± one standard error of digits and "
        "chains together."
        + (
            ""
            if exact
            else f" A DBN's p(v | h) is summed over {DRAWS} samples of h: an upper bound."
        )
        + " Published, on MNIST binarized once: RBM-500 86.3 nats with CD-25, 105.5 with CD-3, "
        "125.5 with CD-1 (Salakhutdinov & Murray 2008); a two-layer DBN about 84.6 (Murray & "
        "Salakhutdinov 2009)."
    )
    st.plotly_chart(log_weights(result.log_w.numpy(), log_z.value), key=f"{KEY}.log_weights")
