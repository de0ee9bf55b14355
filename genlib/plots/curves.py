"""Lines: runs over epochs, many runs at once, classes over an ascent, methods over labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


FONT = 14  # px, of labels and ticks
SCALE = ((0.0, "#0f8b8d"), (0.5, "#7d7f9a"), (1.0, "#cf6a1c"))  # seen on white and on black
FEW = 12  # different numbers that are ticks of their own


def parallel(columns: Mapping[str, Sequence[float | str]], colour: str) -> go.Figure:
    """Parallel coordinates (Inselberg 1985): columns of equal length, one entry per run.

    Numbers have an axis of numbers, texts one of names. ``colour`` is the column that the lines
    are coloured by; it holds numbers. Raises ValueError for columns of different lengths.
    """
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns must have one length, got {sorted(lengths)}")
    shown = [float(value) for value in columns[colour]]
    figure = go.Figure(
        go.Parcoords(
            dimensions=[_axis(n, values, FEW * (n != colour)) for n, values in columns.items()],
            line={"color": shown, "colorscale": SCALE, "showscale": False},
            labelfont={"size": FONT},
            tickfont={"size": FONT},
            rangefont={"size": FONT},
        )
    )
    figure.update_layout(height=340, margin={"l": 70, "r": 70, "t": 60, "b": 40})
    return figure


def _axis(name: str, values: Sequence[float | str], few: int) -> dict[str, object]:
    """One axis; at most ``few`` different numbers have a tick each."""
    if all(isinstance(value, int | float) for value in values):
        numbers = sorted({float(value) for value in values})
        text = [f"{n:g}" for n in numbers]
        ticks = {"tickvals": numbers, "ticktext": text} if len(numbers) <= few else {}
        return {"label": name, "values": [float(value) for value in values], **ticks}
    names = list(dict.fromkeys(map(str, values)))
    return {
        "label": name,
        "values": [names.index(str(value)) for value in values],
        "tickvals": list(range(len(names))),
        "ticktext": names,
    }


LINES = ("#0b8a76", "#7a5fd0", "#e06c00", "#2f74d0", "#c9202f", "#8a8f94", "#988c00")
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
    for (name, line), colour, dash in zip(lines.items(), LINES, DASHES, strict=False):
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
