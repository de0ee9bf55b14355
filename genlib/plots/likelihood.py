"""Likelihoods in nats: of models on one axis, one panel for each kind of pixels, and of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

SYMBOLS = {  # how a number was come by -> (marker, what the legend says)
    "exact": ("circle", "exact"),
    "estimate": ("square", "estimate"),
    "bound": ("triangle-left", "upper bound: the truth is here or further left"),
    "published": ("diamond-open", "published, other models of the kind"),
}
COLOURS = {"exact": "#0b8a76", "estimate": "#7a5fd0", "bound": "#2f74d0", "published": "#8a8f94"}


@dataclass(frozen=True)
class Point:
    """One number: its row, how it was come by, nats, two standard errors or half a range.

    ``fresh``: measured just now, drawn open.
    """

    row: str
    how: str
    value: float
    error: float
    text: str
    fresh: bool = False


def likelihood_figure(points: Sequence[Point]) -> go.Figure:
    """One row a model, best (leftmost) on top; error bars are two standard errors."""
    figure = go.Figure()
    best = {p.row: min(q.value for q in points if q.row == p.row) for p in points}
    rows = sorted(best, key=best.__getitem__, reverse=True)
    for how, (symbol, said) in SYMBOLS.items():
        some = [p for p in points if p.how == how]
        if not some:
            continue
        figure.add_scatter(
            x=[p.value for p in some],
            y=[p.row for p in some],
            mode="markers",
            name=said,
            error_x={
                "type": "data",
                "array": [p.error for p in some],
                "thickness": 1.6,
                "color": COLOURS[how],
            },
            marker={
                "size": 12,
                "color": COLOURS[how],
                "line": {"width": 2},
                "symbol": [
                    f"{symbol.removesuffix('-open')}-open" if p.fresh else symbol for p in some
                ],
            },
            customdata=[p.text for p in some],
            hovertemplate="%{y}: %{x:.2f} nats<br>%{customdata}<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=rows, automargin=True, title=None)
    figure.update_xaxes(title="nats/image;<br>less is better", automargin=True)
    figure.update_layout(
        height=110 + 27 * len(rows),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0.0},
        hovermode="closest",
    )
    return figure


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
