"""The RBM page's ways to train, against each other on bars and stripes, judged exactly."""

from __future__ import annotations

import math

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from genlib import background
from genlib.background import Job
from genlib.data.toys import bars_and_stripes
from genlib.explore import race
from genlib.models import FAMILIES, Model
from genlib.models.boltzmann import Boltzmann, states
from genlib.plots.race import likelihoods
from genlib.ui.kit.jobs import start_button, watch
from genlib.ui.kit.picture_table import PictureRow, grey, picture_table

KEY = "rbm"
STEPS, EVERY = 2000, 40  # of the training; between two exact sums
TASK = (
    "Bars and stripes: some columns or some rows are inked. 30 images are right. A perfect model "
    "gives each of them 1/30, and nothing to the 65,506 others."
)


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


def training(controls: DeltaGenerator, picture: DeltaGenerator) -> None:
    """CD-k, persistent CD and the general machine, trained here and judged exactly."""
    with controls:
        lr, n_hidden = _settings()

        def work(job: Job) -> dict[str, race.Runner]:
            torch.set_num_threads(1)
            models = contestants(n_hidden)
            runners: dict[str, race.Runner] = {}
            for runners in race.run(models, bars(), states(16), steps=STEPS, every=EVERY, lr=lr):
                step = min(r.curve[-1][0] for r in runners.values())
                job.report(step / STEPS, f"Step {step:,} of {STEPS:,}", runners)
            return runners

        name = f"bars {lr} {n_hidden}"

    def show(result: object) -> None:
        if isinstance(result, dict):
            _raced(result)

    with picture:
        start_button(name, KEY, "Train all four", work)
        watch(name, show, "Press **Train all four**. " + TASK)
        if background.find(name) is None:
            _patterns()


def _settings() -> tuple[float, int]:
    """Learning rate of all, hidden units of the RBMs."""
    lr = st.select_slider(
        "Learning rate",
        [0.02, 0.05, 0.1, 0.2],
        0.1,
        key=f"{KEY}.lr",
        bind="query-params",
        width=220,
        help="The same for all four. Gradient steps with momentum 0.5.",
    )
    n_hidden = st.selectbox(
        "Hidden units of the RBMs",
        [4, 8, 16, 32],
        2,
        key=f"{KEY}.n_hidden",
        bind="query-params",
        width=180,
        help="The general machine always has 6.",
    )
    return lr, n_hidden


def _raced(runners: dict[str, race.Runner]) -> None:
    curves = {name: list(r.curve) for name, r in runners.items()}
    st.plotly_chart(likelihoods(curves, math.log(30)), key=f"{KEY}.curves")
    steps = max(1, min(points[-1][0] for points in curves.values()))
    rows = {
        "": list(runners),
        "parameters": [free_parameters(r.model) for r in runners.values()],
        "−log p now, nats": [f"{points[-1][1]:.2f}" for points in curves.values()],
        "best, nats": [f"{min(v for _, v in points):.2f}" for points in curves.values()],
        "ms per step": [f"{1000 * r.seconds / steps:.2f}" for r in runners.values()],
    }
    st.dataframe(rows, hide_index=True, width="content")
    st.markdown(f"**The likeliest of all 65,536 images, for each of them.** {TASK}")
    picture_table([_data_row(), *[_row(name, r.verdict) for name, r in runners.items()]])


def free_parameters(model: Model) -> int:
    """Parameters that count: of a symmetric matrix of couplings only what is above the diagonal."""
    counted = sum(p.numel() for p in model.parameters())
    if isinstance(model, Boltzmann):
        n = len(model.raw)
        counted -= n * (n + 1) // 2
    return counted


def bars() -> torch.Tensor:
    """The 30 pictures, (30, 1, 4, 4) of 0 and 1."""
    return bars_and_stripes(4)[0][:, None].float()


def _patterns() -> None:
    """The data before anything is trained."""
    picture_table([_data_row()])


def _data_row() -> PictureRow:
    """Every third picture of the data, half bars and half stripes."""
    return PictureRow("Data", "10 of the 30, each 3.3%", grey(bars()[::3, 0].numpy()))


def _row(name: str, verdict: race.Verdict | None) -> PictureRow:
    assert verdict is not None  # judged before the first report
    pictures = grey(verdict.likeliest.view(-1, 4, 4).numpy())
    captions = [f"{p:.1%}" for p in verdict.p.tolist()]
    return PictureRow(name, f"{verdict.share:.0%} on the data", pictures, captions)
