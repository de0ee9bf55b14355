"""Likelihoods of images, in nats."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray


def nats_figure(nats: NDArray[np.float64], own: float | None) -> go.Figure:
    """How many nats images cost, as a histogram; lines at the mean (dotted) and at ``own``."""
    figure = go.Figure()
    figure.add_histogram(
        x=nats,
        nbinsx=30,
        marker={"line": {"width": 0}},
        opacity=0.75,
        hovertemplate="%{x} nats: %{y} digits<extra></extra>",
    )
    figure.add_vline(float(nats.mean()), line_dash="dot", line_width=2.5)
    if own is not None:
        figure.add_vline(own, line_width=2.5, annotation_text="this image", annotation_yshift=18)
    figure.update_xaxes(title="−log p(x), nats")
    figure.update_yaxes(title="test digits")
    figure.update_layout(
        height=300, margin={"l": 10, "r": 10, "t": 34, "b": 10}, showlegend=False, bargap=0.04
    )
    return figure
