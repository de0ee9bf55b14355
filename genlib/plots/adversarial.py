"""Plots of two players: scores of groups of images, losses through training, classes covered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

BINS = 60
CLOSE = 0.25  # of the axis: the room that the words of a mark need
LEFT = 0.4  # of the axis: enough for the words left of a mark, on a phone as well
MUCH = 0.05  # of a group beyond the axis: worth saying


@dataclass(frozen=True)
class Mark:
    """A vertical line with words: one image's score, or a margin."""

    x: float
    text: str
    dash: str = "solid"


def score_figure(
    groups: Mapping[str, NDArray[np.float64]],
    x_title: str,
    marks: Sequence[Mark] = (),
    limits: tuple[float, float] | None = None,
    far: Collection[str] = (),
) -> go.Figure:
    """Histograms of the groups' scores over each other, in the same bins; share of each group.

    limits: first and last edge; otherwise all but the rarest 0.5% at either end, and the marks.
    far: groups that don't stretch the axes; what lies beyond is in the first or the last bar.
    """
    near = {name: v for name, v in groups.items() if name not in far} or groups
    low, high = limits or _limits(near, marks)
    high = high if high > low else low + 1.0
    edges = np.linspace(low, high, BINS + 1)
    figure = go.Figure()
    for name, values in groups.items():
        counts, _ = np.histogram(np.clip(values, low, high), edges)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts / max(len(values), 1),
            name=name,
            width=edges[1] - edges[0],
            opacity=0.55,
            marker_line_width=0,
            hovertemplate=f"{name}: %{{y:.1%}} near %{{x:.3g}}<extra></extra>",
        )
    _mark(figure, marks, low, high)
    _say_beyond(figure, groups, high)
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(title=x_title, range=[low, high])
    top = max(np.histogram(np.clip(v, low, high), edges)[0].max() / len(v) for v in near.values())
    figure.update_yaxes(
        title="share of the group", tickformat=".0%", range=[0, 1.35 * top]
    )  # the words stand above the bars
    return _dress(figure)


def _mark(figure: go.Figure, marks: Sequence[Mark], low: float, high: float) -> None:
    """Lines with words, which no other line crosses: to the left where the next line is close."""
    span = high - low
    for line, mark in enumerate(marks):  # words below each other, for lines may be close
        x = min(max(mark.x, low), high)
        close = [other.x for other in marks if 0 < other.x - x < CLOSE * span]
        left = x - low > span / 2 or (bool(close) and x - low > LEFT * span)
        figure.add_vline(x, line_dash=mark.dash, line_width=2, line_color="#e0a000")
        figure.add_annotation(
            x=x if left else max([x, *close]),
            y=1,
            yref="y domain",
            text=mark.text,
            showarrow=False,
            xanchor="right" if left else "left",
            yanchor="top",
            yshift=-17 * line,
        )


def _say_beyond(figure: go.Figure, groups: Mapping[str, NDArray[np.float64]], high: float) -> None:
    """Words next to the last bar, where it holds much of a group that lies beyond the axis."""
    beyond = {name: float((np.asarray(v) > high).mean()) for name, v in groups.items()}
    said = [f"{name}: {share:.0%}" for name, share in beyond.items() if share > MUCH]
    if said:
        figure.add_annotation(
            x=1 - 1.5 / BINS,  # left of the bar
            xref="x domain",
            y=1,
            yref="y domain",
            text=f"{high:.3g} or more: →<br>{'<br>'.join(said)}",
            showarrow=False,
            align="right",
            xanchor="right",
            yanchor="top",
        )


def _limits(
    groups: Mapping[str, NDArray[np.float64]], marks: Sequence[Mark]
) -> tuple[float, float]:
    every = np.concatenate([np.asarray(v) for v in groups.values()])
    at = [mark.x for mark in marks]
    low, high = np.percentile(every, [0.5, 99.5])
    return min([float(low), *at]), max([float(high), *at])


def history_figure(
    rows: Sequence[Mapping[str, float]],
    terms: Mapping[str, str],
    y_title: str,
    *,
    at: float | None = None,
    level: tuple[float, str] | None = None,
) -> go.Figure:
    """Terms of a training's history over epochs.

    terms: name in the history -> what it is called; at: an epoch that is marked; level: a
    horizontal line and its words.
    """
    figure = go.Figure()
    for term, name in terms.items():
        points = [(row["epoch"], row[term]) for row in rows if term in row]
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            name=name,
            mode="lines+markers",
            line={"width": 2.5},
            marker={"size": 6},
            hovertemplate=f"{name}: %{{y:.3g}} after epoch %{{x}}<extra></extra>",
        )
    if level is not None:
        figure.add_hline(level[0], line_dash="dot", line_color="gray", annotation_text=level[1])
    if at is not None:
        figure.add_vline(at, line_width=2, line_color="#e0a000")
    figure.update_xaxes(title="epoch", rangemode="tozero")
    figure.update_yaxes(title=y_title)
    return _dress(figure, 320)


def coverage_figure(
    names: Sequence[str], groups: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> go.Figure:
    """Share of each class with one standard error; groups: name -> (shares, standard errors)."""
    figure = go.Figure()
    for group, (shares, errors) in groups.items():
        figure.add_bar(
            x=list(names),
            y=list(shares),
            name=group,
            error_y={"type": "data", "array": list(errors), "thickness": 1.3, "width": 3},
            hovertemplate=f"{group}, class %{{x}}: %{{y:.1%}}<extra></extra>",
        )
    figure.add_hline(1 / len(names), line_dash="dot", line_color="gray", annotation_text="even")
    figure.update_xaxes(title="class, by our classifier", type="category")
    figure.update_yaxes(title="share of the samples", tickformat=".0%")
    return _dress(figure)


def _dress(figure: go.Figure, height: int = 380) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 45, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.04, "x": 0},
    )
    return figure
