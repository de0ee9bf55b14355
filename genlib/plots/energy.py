"""Plots of how well an energy tells merges from digits."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from genlib.plots.kernels import MODEL_COLOURS

POINTS = 250  # of one ROC curve on screen; thousands of steps look no different


@dataclass(frozen=True)
class Curve:
    """One model's ROC curve: rates in [0, 1], both rising, and the area with its error."""

    name: str
    false: NDArray[np.float64]
    true: NDArray[np.float64]
    auc: float
    stderr: float


def roc_figure(curves: Sequence[Curve]) -> go.Figure:
    """True against false positive rates, one line per model, AUC ± standard error in the legend."""
    figure = go.Figure()
    # A shape, not a trace: a trace would take the first model's colour.
    figure.add_shape(
        type="line", x0=0, y0=0, x1=1, y1=1, line={"dash": "dot", "color": "gray", "width": 1}
    )
    for curve, colour in zip(curves, itertools.cycle(MODEL_COLOURS), strict=False):
        keep = np.unique(np.linspace(0, len(curve.false) - 1, POINTS).round().astype(int))
        figure.add_scatter(
            x=curve.false[keep],
            y=curve.true[keep],
            mode="lines",
            name=f"{escape(curve.name)}: {curve.auc:.3f} ± {curve.stderr:.3f}",
            line={"width": 2.5, "color": colour},
            hovertemplate="%{x:.1%} of digits rejected<br>%{y:.1%} of merges caught",
        )
    figure.update_xaxes(title="share of real digits rejected", range=[-0.01, 1.01])
    figure.update_yaxes(title="share of merges caught", range=[-0.01, 1.02])
    return _dress(figure)


def auc_figure(curves: dict[str, Sequence[Curve]], chosen: str) -> go.Figure:
    """AUC with two standard errors, for each way to merge (rows) and each model (colours).

    ``curves``: way to merge -> the models' curves, in the same order; ``chosen`` goes in bold.
    """
    figure = go.Figure()
    rows = [f"<b>{how}</b>" if how == chosen else how for how in curves]
    each = zip(*curves.values(), strict=True)
    for models, colour in zip(each, itertools.cycle(MODEL_COLOURS), strict=False):
        figure.add_scatter(
            x=[c.auc for c in models],
            y=rows,
            mode="markers",
            name=escape(models[0].name),
            marker={"size": 13, "color": colour},
            error_x={"type": "data", "array": [2 * c.stderr for c in models], "thickness": 1.5},
            hovertemplate=f"{escape(models[0].name)}<br>%{{y}}: %{{x:.3f}}<extra></extra>",
        )
    figure.add_vline(0.5, line_dash="dot", line_color="gray", annotation_text="guessing")
    low = min([0.45, *(c.auc - 0.03 for models in curves.values() for c in models)])
    figure.update_xaxes(title="AUC (bars: ± 2 standard errors)", range=[low, 1.02])
    figure.update_yaxes(autorange="reversed", type="category")
    return _dress(figure)


def _dress(figure: go.Figure) -> go.Figure:
    figure.update_layout(
        height=380,
        margin={"l": 10, "r": 10, "t": 25, "b": 10},
        legend={"orientation": "h", "y": -0.22, "x": 0, "xanchor": "left"},
    )
    return figure
