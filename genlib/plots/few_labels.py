"""Accuracy against the number of labels: a line and a band for each method, published numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

COLOURS = ("#0b8a76", "#7a5fd0", "#e06c00", "#2f74d0", "#c9202f", "#8a8f94", "#988c00")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash")


@dataclass(frozen=True)
class Line:
    """One method: numbers of labels, mean accuracy and its band, in [0, 1]."""

    sizes: Sequence[int]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def accuracy_curves(
    lines: Mapping[str, Line], published: Mapping[str, float], at: int
) -> go.Figure:
    """Lines with bands over the number of labels (in logs); diamonds for published numbers.

    published: accuracies reported for ``at`` labels.
    """
    figure = go.Figure()
    for (name, line), colour, dash in zip(lines.items(), COLOURS, DASHES, strict=False):
        figure.add_trace(_band(line, colour))
        figure.add_scatter(
            x=list(line.sizes),
            y=list(line.mean),
            name=name,
            mode="lines+markers",
            line={"width": 2.5, "color": colour, "dash": dash},
            hovertemplate="%{x} labels: %{y:.1%}<extra>%{fullData.name}</extra>",
        )
    figure.add_scatter(
        x=[at] * len(published),
        y=list(published.values()),
        text=list(published),
        name="published",
        mode="markers+text",
        textposition="middle right",
        marker={"symbol": "diamond-open", "size": 12, "color": "#8a8f94", "line": {"width": 2}},
        hovertemplate="%{text}: %{y:.1%}<extra>published</extra>",
    )
    figure.update_xaxes(title="labels", type="log", tickvals=[10, 20, 50, 100, 200, 500, 1000])
    figure.update_yaxes(title="test accuracy", tickformat=".0%", range=[0.3, 1.0])
    figure.update_layout(
        height=460,
        font={"size": 14},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0.0},
        hovermode="closest",
        uirevision="few-labels",
    )
    return figure


def _band(line: Line, colour: str) -> go.Scatter:
    """The area from the band's upper edge to its lower one."""
    return go.Scatter(
        x=[*line.sizes, *reversed(line.sizes)],
        y=[*line.high, *reversed(line.low)],
        fill="toself",
        fillcolor=colour,
        opacity=0.15,
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
