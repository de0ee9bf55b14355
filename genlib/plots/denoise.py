"""Error of several repairs against the strength of the damage. Numbers in, a figure out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from genlib.plots.kernels import LOG_TICKS, MODEL_COLOURS

UNTOUCHED = "#8a8f98"  # grey: what is not repaired


@dataclass(frozen=True)
class Line:
    """One curve: its points, their standard errors, and whether it is the untouched image.

    colour: "" for the next one of MODEL_COLOURS.
    """

    x: Sequence[float]
    y: Sequence[float]
    stderr: Sequence[float]
    untouched: bool = False
    dash: str = "solid"
    colour: str = ""


def error_chart(lines: Mapping[str, Line], x_title: str) -> go.Figure:
    """One curve with error bars (1 standard error) per name."""
    figure = go.Figure()
    palette = itertools.cycle(MODEL_COLOURS)
    for name, line in lines.items():
        colour = UNTOUCHED if line.untouched else line.colour or next(palette)
        figure.add_scatter(
            x=list(line.x),
            y=list(line.y),
            error_y={"type": "data", "array": list(line.stderr), "thickness": 1.3, "width": 3},
            name=escape(name),
            mode="lines+markers",
            line={"color": colour, "dash": "dot" if line.untouched else line.dash, "width": 2.5},
            marker={"size": 6},
            hovertemplate=f"{escape(name)}: %{{y:.4f}} at %{{x:.2f}}<extra></extra>",
        )
    figure.update_layout(
        height=380,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": x_title},
        yaxis={"title": "squared error per pixel (log scale)", **LOG_TICKS},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
    )
    return figure
