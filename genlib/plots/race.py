"""Curves of ways to train a Boltzmann machine, and weights of annealed importance sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}


def likelihoods(curves: Mapping[str, Sequence[tuple[int, float]]], floor: float) -> go.Figure:
    """Exact -log p over gradient steps, a line for each name, and the least that is possible."""
    figure = go.Figure()
    for name, points in curves.items():
        figure.add_scatter(
            x=[step for step, _ in points],
            y=[value for _, value in points],
            name=name,
            mode="lines",
            line={"width": 2.5},
            hovertemplate="step %{x}: %{y:.2f} nats<extra>%{fullData.name}</extra>",
        )
    figure.add_hline(
        floor,
        line={"dash": "dot", "width": 1.5},
        annotation_text=f"log 30 = {floor:.2f}: perfect",
        annotation_position="bottom right",
    )
    figure.update_xaxes(title="gradient steps", rangemode="tozero")
    top = 1.02 * max((v for points in curves.values() for _, v in points[:1]), default=11.0)
    figure.update_yaxes(title="−log p(v), exact, nats", range=[3, top])
    figure.update_layout(
        height=400,
        margin=MARGIN,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0.0},
        uirevision="race",
    )
    return figure


def log_weights(values: NDArray[np.float64], log_z: float) -> go.Figure:
    """Histogram of log importance weights (chains,) and where log Z lies."""
    figure = go.Figure(go.Histogram(x=values, nbinsx=30, marker={"line": {"width": 1}}))
    figure.add_vline(log_z, line={"width": 2}, annotation_text=f"log Z = {log_z:.2f}")
    figure.update_xaxes(title="log weight of a chain, nats")
    figure.update_yaxes(title="chains")
    figure.update_layout(height=260, margin=MARGIN, showlegend=False)
    return figure
