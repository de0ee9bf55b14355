"""Curves of several runs in one plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

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
