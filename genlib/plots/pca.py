"""Charts of principal components: variance explained, and angles between subspaces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

Numbers = NDArray[np.floating]
_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}


def explained_figure(explained: Numbers, d: int) -> go.Figure:
    """Share of the variance that the first axes hold: explained (P,); a marker at d axes."""
    count = np.arange(1, len(explained) + 1)
    figure = go.Figure()
    figure.add_scatter(
        x=count,
        y=explained,
        mode="lines",
        line={"width": 2.5},
        name="share",
        hovertemplate="%{x} axes hold %{y:.1%}<extra></extra>",
    )
    figure.add_scatter(
        x=[d],
        y=[explained[d - 1]],
        mode="markers",
        marker={"size": 13, "color": "#e06c00"},
        hovertemplate="%{x} axes hold %{y:.1%}<extra></extra>",
    )
    figure.update_xaxes(
        title="axes kept", type="log", tickvals=[1, 2, 5, 10, 20, 50, 100, 300, 784]
    )
    figure.update_yaxes(title="variance explained", tickformat=".0%", rangemode="tozero")
    figure.update_layout(height=270, margin=_MARGIN, showlegend=False)
    return figure


def angles_figure(steps: Sequence[int], angles: Numbers, last: int) -> go.Figure:
    """Principal angles (T, k) in degrees over training steps (T,); the axis goes to ``last``."""
    figure = go.Figure()
    for index in range(angles.shape[1]):
        figure.add_scatter(
            x=list(steps),
            y=angles[:, index],
            mode="lines",
            name=f"angle {index + 1}",
            line={"width": 2.2},
            hovertemplate="step %{x}: %{y:.2f}°<extra>%{fullData.name}</extra>",
        )
    figure.update_xaxes(title="training step", range=[0, last])
    figure.update_yaxes(title="angle to PCA's subspace", range=[-2, 92], ticksuffix="°", dtick=15)
    figure.update_layout(height=320, margin=_MARGIN, showlegend=False, uirevision="angles")
    return figure
