"""The two live parts of the page of PCA and mixtures: what trains and fits while one watches."""

from __future__ import annotations

from typing import Protocol, cast

import numpy as np
import streamlit as st

from genlib.datasets import Dataset
from genlib.explore.pca import Components, Moment
from genlib.models.base import HasComponents, Samples
from genlib.plots.pca import angles_figure
from genlib.ui import guard, jobs, loading, pca_data, pca_view
from genlib.ui.job_panel import within_limits
from genlib.ui.plain import plain

OWN = "Fit here"


class Mixed(HasComponents, Samples, Protocol):
    """A mixture that can be sampled."""


def autoencoder(data: Dataset, found: Components) -> bool:
    """Train a linear autoencoder and watch the angles shrink; returns whether it is training."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        k = st.select_slider("Units", (2, 3, 4, 6, 8, 10), 6, key="pca.units", width=220,
                             bind="query-params", help="Numbers in the code.")  # fmt: skip
        seed = st.number_input("Seed", 0, 99, 0, key="pca.ae_seed", width=130, bind="query-params",
                               help="Of the first random weights.")  # fmt: skip
        job = jobs.find(pca_data.autoencoder_job(data.name, k, seed))
        busy = job is not None and job.busy
        st.button("Train", icon=":material/play_arrow:", type="primary", key="pca.train",
                  on_click=_train, args=(data.name, k, seed),
                  disabled=job is not None and (busy or job.state == "done"),
                  help="Adam on all training digits at once, 400 steps. Ready for these settings "
                  "when greyed: change units or seed to train another.")  # fmt: skip
        if busy and job is not None:
            st.button("Stop", icon=":material/stop:", key="pca.stop", on_click=job.cancel)
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
        pca_view.moments(moments, found, data.shape)
    best = float(found.variances[k:].sum())
    st.markdown(
        f"Step {now.step}: error **{now.loss:.3f}**, PCA's is {best:.3f} and cannot be beaten. "
        f"Largest angle **{now.angles[-1]:.1f}°**, mean {now.angles.mean():.1f}°."
    )
    return busy


def _angles(moments: list[Moment], busy: bool) -> None:
    """The angles over steps; a plain chart while they come, since Plotly flickers."""
    steps, angles = [m.step for m in moments], np.stack([m.angles for m in moments])
    if busy:
        lines = {f"angle {i + 1}": angles[:, i] for i in range(angles.shape[1])}
        st.line_chart({"step": steps, **lines}, x="step", y_label="angle, degrees", height=320)
    else:
        st.plotly_chart(angles_figure(steps, angles, pca_data.STEPS), key="pca.angles")


def mixture(data: Dataset) -> bool:
    """A trained mixture, or one of as many components as wanted, fitted live; whether it is."""
    model, d, busy = _choose(data)
    if model is None:
        if not busy:
            st.info("Press Fit: it takes some seconds.", icon=":material/play_arrow:")
        return busy
    order = pca_view.component_means(model)
    axes = pca_data.model(data.name, d)
    rows: list[tuple[str, str, Samples]] = [("One Gaussian", f"PCA, {axes.latent_dim} axes", axes),
            ("Mixture", f"{len(model.weights())} Gaussians", model)]  # fmt: skip
    pca_view.samples(rows, data, st.session_state.get("pca.seed", 0))
    chosen = st.selectbox("Look into component", order, key="pca.component", width=220,
                          help="Its samples, and the digits that belong to it.")  # fmt: skip
    pca_view.component(model, order[0] if chosen is None else chosen, data, 0)
    return busy


def _choose(data: Dataset) -> tuple[Mixed | None, int, bool]:
    """The mixture to show (None: not fitted yet), its number of axes, whether it goes on."""
    shelf = {i.name: i for i in loading.checkpoints("HasComponents", "Samples")}
    names = [i.name for i in shelf.values() if i.config.get("image_size") == data.shape[1]]
    row = st.container(horizontal=True, vertical_alignment="bottom")
    source = row.selectbox(
        "Mixture", [*names, OWN], key="pca.mixture", width=220, bind="query-params",
        help="A trained one, or fit one now.",
    )  # fmt: skip
    if source in names:
        axes = int(str(shelf[source].config.get("latent_dim", pca_data.FIT_AXES)))
        return cast(Mixed, loading.model(shelf[source])), axes, False
    k = row.select_slider(
        "Components", (1, 2, 3, 5, 10, 20, 30, 50), 10, key="pca.components", width=260,
        bind="query-params", help="Gaussians in the mixture.",
    )  # fmt: skip
    job = jobs.find(pca_data.mixture_job(data.name, k))
    row.button(
        "Fit", icon=":material/play_arrow:", type="primary", key="pca.fit",
        on_click=_fit, args=(data.name, k),
        disabled=job is not None and (job.busy or job.state == "done"),
        help="EM on 20,000 digits and 30 axes. Greyed when it is fitted.",
    )  # fmt: skip
    if job is None:
        return None, pca_data.FIT_AXES, False
    if job.busy:
        row.button("Stop", icon=":material/stop:", key="pca.fit_stop", on_click=job.cancel)
        waiting = "Waiting for a free core" if job.state == "waiting" else job.text
        st.progress(job.share, waiting or "k-means places the first components")
    if job.state == "failed":
        st.warning(
            f"The mixture could not be fitted. {plain(job.error)}", icon=":material/warning:"
        )
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
