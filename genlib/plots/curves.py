"""Curves over epochs or steps: of several runs in one plot, of an ascent one line per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

Points = Sequence[tuple[float, float]]


def compare(
    curves: Mapping[str, Points],
    y_title: str,
    log: bool = False,
    rates: Mapping[str, Points] | None = None,
) -> go.Figure:
    """One line per run over epochs; ``curves``: name -> [(epoch, value)], ``log``: y axis in logs.

    ``rates``: name -> [(epoch, new learning rate)], marked on the lines.
    """
    figure = go.Figure()
    for name, points in curves.items():
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            name=name,
            mode="lines+markers" if len(points) <= 60 else "lines",
            line={"width": 2.5},
            marker={"size": 6},
            hovertemplate="epoch %{x}: %{y:.5g}<extra>%{fullData.name}</extra>",
        )
    for name, changes in (rates or {}).items():
        if changes:
            _mark(figure, curves[name], changes)
    figure.update_xaxes(title="epoch", rangemode="tozero")
    figure.update_yaxes(title=y_title, type="log" if log else "linear")
    figure.update_layout(
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0.0},
        hovermode="closest",
        uirevision="curves",  # a zoom survives new data
    )
    return figure


def _mark(figure: go.Figure, points: Points, changes: Points) -> None:
    """Put a diamond on a line wherever the learning rate was changed."""
    at = [x for x, _ in changes]
    figure.add_scatter(
        x=at,
        y=np.interp(at, [x for x, _ in points], [y for _, y in points]),
        mode="markers",
        marker={"symbol": "diamond-open", "size": 13, "color": "gray", "line": {"width": 2}},
        text=[f"{rate:g}" for _, rate in changes],
        hovertemplate="learning rate %{text} from epoch %{x:.3g}<extra></extra>",
        showlegend=False,
    )


def curves_figure(
    steps: NDArray[np.int32],
    table: NDArray[np.float32],
    names: Sequence[str],
    titles: Sequence[str],
) -> go.Figure:
    """Three plots side by side: steps (T,), table (3, K, T) with NaN for gaps, K names of classes.

    A quantity that was never measured (all NaN) is left out. Raises ValueError when sizes differ.
    """
    if table.shape != (len(titles), len(names), len(steps)):
        raise ValueError(
            f"table must be {(len(titles), len(names), len(steps))}, got {table.shape}"
        )
    kept = [j for j in range(len(titles)) if not np.isnan(table[j]).all()]
    figure = make_subplots(1, max(1, len(kept)), subplot_titles=[titles[j] for j in kept])
    for column, j in enumerate(kept, 1):
        for k, name in enumerate(escape(name, quote=False) for name in names):
            figure.add_scatter(
                x=steps,
                y=table[j, k],
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                mode="lines",
                line={"width": 2},
                row=1,
                col=column,
                hovertemplate=f"{name}<br>step %{{x}}: %{{y:.4g}}<extra></extra>",
            )
        figure.update_xaxes(title="step", row=1, col=column)
        if titles[j] == "Probability":
            figure.update_yaxes(range=[-0.02, 1.02], row=1, col=column)
    figure.update_layout(height=320, margin={"l": 10, "r": 10, "t": 40, "b": 10})
    return figure
