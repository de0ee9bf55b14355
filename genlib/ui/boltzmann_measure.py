"""The RBM page's measurements: log-likelihood by AIS, and ways to train against each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import streamlit as st
import torch

from genlib.bars import bars_and_stripes
from genlib.checkpoint import Info
from genlib.datasets import to_float
from genlib.explore import race
from genlib.models import FAMILIES, Model
from genlib.models.annealing import effective, log_mean
from genlib.models.base import Annealed, HasFreeEnergy, binarize
from genlib.models.boltzmann import states
from genlib.plots.race import likelihoods, log_weights
from genlib.ui import jobs, loading

KEY = "rbm"
POLL_S = 0.5
IMAGES = 2000  # test digits that are measured
STEPS, EVERY = 2000, 40  # of the training on bars and stripes; between two exact sums


class Annealing(NamedTuple):
    """A finished run: log weights (chains,) and log p* of the images (n,)."""

    log_w: torch.Tensor
    log_p: torch.Tensor


def anneal(
    job: jobs.Job, model: Annealed, x: torch.Tensor, chains: int, temperatures: int
) -> Annealing:
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


def likelihood(info: Info) -> None:
    """Start AIS, watch it, cancel it, read the result."""
    model = loading.model(info)
    if not isinstance(model, Annealed):
        st.info(f"{info.name} has no log Z that annealing could estimate.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chains = st.selectbox(
            "Chains", [20, 50, 100, 200], 2, key=f"{KEY}.ais_chains", bind="query-params",
            width=110, help="Annealed side by side. More of them make the error bar smaller.",
        )  # fmt: skip
        temperatures = st.selectbox(
            "Temperatures", [200, 1000, 5000, 20_000], 1, key=f"{KEY}.temperatures",
            bind="query-params", width=140, format_func="{:,}".format,
            help="Steps from independent pixels to the model. More of them make the weights equal.",
        )  # fmt: skip

        def work(job: jobs.Job) -> Annealing:
            data = loading.all_pictures_of(info)
            order = torch.randperm(len(data.test_x), generator=torch.Generator().manual_seed(0))
            x = to_float(data.test_x[order[:IMAGES]])
            x = binarize(x, torch.Generator().manual_seed(0)).to(next(model.parameters()).device)
            return anneal(job, model, x, chains, temperatures)

        name = f"ais {info.path} {info.mtime_ns} {chains} {temperatures}"
        _button(name, "Estimate log p", work)

    def show(result: object) -> None:
        if isinstance(result, Annealing):
            _annealed(result, isinstance(model, HasFreeEnergy))

    _watch(name, show)


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
            "A few chains carry the whole mean, so the error bar is too small and log Z too low: "
            "the model looks better than it is. Take more temperatures.",
            icon=":material/warning:",
        )
    st.caption(
        f"{n:,} test digits, dynamically binarized (seed 0), ± one standard error of digits and "
        "chains together."
        + ("" if exact else " A DBN's p(v | h) is summed over 20 samples of h: an upper bound.")
        + " Published, on binarized MNIST: RBM-500 about 86 nats with CD-25, 105 to 125 with "
        "CD-1; two-layer DBN about 84.6 (Salakhutdinov & Murray 2008)."
    )
    st.plotly_chart(log_weights(result.log_w.numpy(), log_z.value), key=f"{KEY}.log_weights")


def contestants(n_hidden: int) -> dict[str, Model]:
    """Four ways to learn bars and stripes: three RBMs and the general machine, all 16 pixels."""
    rbm = {"image_size": 4, "n_hidden": n_hidden}
    made = {
        "CD-1": ("rbm", {**rbm, "k": 1}),
        "CD-10": ("rbm", {**rbm, "k": 10}),
        "PCD": ("rbm", {**rbm, "k": 1, "persistent": True, "chains": 100}),
        "General machine": ("boltzmann", {"image_size": 4, "n_hidden": 6, "chains": 100}),
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return {
            name: FAMILIES[family](FAMILIES[family].Config.from_dict(config))
            for name, (family, config) in made.items()
        }


def training() -> None:
    """CD-k, persistent CD and the general machine, trained here and judged exactly."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        lr = st.select_slider(
            "Learning rate", [0.02, 0.05, 0.1, 0.2], 0.1, key=f"{KEY}.lr", bind="query-params",
            width=220, help="Of all four; gradient steps with momentum 0.5.",
        )  # fmt: skip
        n_hidden = st.selectbox(
            "Hidden units of the RBMs", [4, 8, 16, 32], 2, key=f"{KEY}.n_hidden",
            bind="query-params", width=180, help="The general machine always has 6.",
        )  # fmt: skip

        def work(job: jobs.Job) -> dict[str, race.Runner]:
            torch.set_num_threads(1)
            x = bars_and_stripes(4)[0][:, None].float()
            models = contestants(n_hidden)
            runners: dict[str, race.Runner] = {}
            for runners in race.run(models, x, states(16), steps=STEPS, every=EVERY, lr=lr):
                step = min(r.curve[-1][0] for r in runners.values())
                job.report(step / STEPS, f"Step {step:,} of {STEPS:,}", runners)
            return runners

        name = f"bars {lr} {n_hidden}"
        _button(name, "Train all four", work)

    def show(result: object) -> None:
        if isinstance(result, dict):
            _raced(result)

    _watch(name, show)


def _raced(runners: dict[str, race.Runner]) -> None:
    curves = {name: list(r.curve) for name, r in runners.items()}
    st.plotly_chart(likelihoods(curves, math.log(30)), key=f"{KEY}.curves")
    steps = max(1, min(points[-1][0] for points in curves.values()))
    rows = {
        "": list(runners),
        "parameters": [sum(p.numel() for p in _free(r.model)) for r in runners.values()],
        "−log p now, nats": [f"{points[-1][1]:.2f}" for points in curves.values()],
        "best, nats": [f"{min(v for _, v in points):.2f}" for points in curves.values()],
        "ms a step": [f"{1000 * r.seconds / steps:.2f}" for r in runners.values()],
    }
    st.dataframe(rows, hide_index=True, width="content")


def _free(model: Model) -> list[torch.Tensor]:
    """Parameters that count: of a matrix of couplings only what lies above the diagonal."""
    return [
        p[torch.triu(torch.ones_like(p), 1) > 0] if p.ndim == 2 and p.shape[0] == p.shape[1] else p
        for p in model.parameters()
    ]


def _button(name: str, label: str, work: Callable[[jobs.Job], object]) -> None:
    """Start the job of that name, or cancel it while it is under way."""
    job = jobs.find(name)
    if job is not None and job.busy:
        st.button("Cancel", icon=":material/stop:", key=f"{KEY}.cancel", on_click=job.cancel)
        return

    def begin() -> None:
        jobs.restart(name, work)

    icon = ":material/play_arrow:"
    st.button(label, icon=icon, type="primary", key=f"{KEY}.go", on_click=begin)


def _watch(name: str, show: Callable[[object], None]) -> None:
    """Progress and the newest result of a job, looked at again and again while it is under way."""
    job = jobs.find(name)
    if job is None:
        st.caption("Nothing measured yet with these settings.")
        return
    busy = job.busy

    def look() -> None:
        if job.busy:
            waiting = "Waiting for a free core" if job.state == "waiting" else job.text
            st.progress(job.share, waiting or "Starting")
        elif busy:
            st.rerun()
        if job.state == "cancelled":
            st.caption(f"Cancelled at {job.share:.0%}.")
        if job.state == "failed":
            st.error(job.error)
        if job.result is not None:
            show(job.result)

    st.fragment(run_every=POLL_S if busy else None)(look)()
