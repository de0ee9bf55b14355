"""Colours for signed pictures, and charts of units and models. Arrays in, pictures out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

# Blue below zero, red above, and at zero the page's background, near white or near black: ends as
# far apart for colour-blind eyes too.
_LIGHT = np.array([[5, 72, 145], [110, 170, 214], [247, 247, 245], [236, 138, 104], [160, 16, 40]])
_DARK = np.array([[138, 200, 255], [44, 104, 168], [22, 30, 32], [172, 76, 44], [255, 156, 126]])


def _interpolated(stops: NDArray[np.int_]) -> NDArray[np.uint8]:
    places = np.linspace(0, 4, 256)
    columns = [np.interp(places, np.arange(5), stops[:, c]) for c in range(3)]
    return np.stack(columns, axis=1).astype(np.uint8)


PALETTE, DARK_PALETTE = _interpolated(_LIGHT), _interpolated(_DARK)  # (256, 3)

# One for each model of a page: Okabe & Ito's colours, told apart by colour-blind eyes.
MODEL_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

# A logarithmic axis with plain numbers.
LOG_TICKS: Final = {
    "type": "log",
    "tickvals": [m * 10.0**e for e in range(-5, 1) for m in (1, 2, 5)],
    "tickformat": ".1~g",
}

SHARED, OWN = "One for all", "One for each"  # colour scales; as the link holds them


def level(values: NDArray[np.floating], limit: float | NDArray[np.floating]) -> NDArray[np.uint8]:
    """Signed values -> place in PALETTE: -limit -> 0, 0 -> 128, +limit -> 255; beyond: clipped."""
    scaled = np.asarray(values) / np.maximum(limit, 1e-12)
    return np.clip(np.round(scaled * 127.5 + 127.6), 0, 255).astype(np.uint8)


def shared_limit(weights: NDArray[np.floating]) -> float:
    """A colour limit for all kernels: 99.5% of the weights lie within, a few outliers clip."""
    return max(float(np.quantile(np.abs(weights), 0.995)), 1e-9)


def levels(weights: NDArray[np.floating], own: bool) -> NDArray[np.uint8]:
    """Kernels (n, H, W) -> places in PALETTE, symmetric around 0."""
    if own:
        return level(weights, np.abs(weights).max((1, 2), keepdims=True))
    return level(weights, shared_limit(weights))


def diverging(
    values: NDArray[np.floating], limit: float, palette: NDArray[np.uint8] = PALETTE
) -> NDArray[np.uint8]:
    """Signed values (...) -> RGB (..., 3), symmetric around 0."""
    return palette[level(values, limit)]


def class_bars(
    means: Sequence[float], stderrs: Sequence[float], classes: Sequence[str]
) -> go.Figure:
    """Mean activation of one unit for each class, with standard errors."""
    bars = go.Bar(
        x=[escape(name, quote=False) for name in classes],
        y=list(means),
        error_y={"type": "data", "array": list(stderrs), "thickness": 1.5},
        marker_color="#7c8bd9",
        hovertemplate="%{x}: %{y:.3f}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_layout(
        height=230,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "digit", "type": "category"},
        yaxis={"title": "mean activation", "zeroline": True},
    )
    return figure


def error_bars(names: Sequence[str], means: Sequence[float], stderrs: Sequence[float]) -> go.Figure:
    """Test error of several models as points with standard errors; error axis logarithmic.

    names: plain text.
    """
    points = go.Scatter(
        x=list(means),
        y=[escape(name, quote=False) for name in names],
        error_x={"type": "data", "array": list(stderrs), "thickness": 2},
        mode="markers",
        marker={"size": 11, "color": "#7c8bd9"},
        hovertemplate="%{y}: %{x:.5f}<extra></extra>",
    )
    figure = go.Figure(points)
    figure.update_layout(
        height=90 + 34 * len(names),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={
            "title": "test MSE per pixel (log scale)",
            **LOG_TICKS,
        },
        yaxis={"autorange": "reversed", "type": "category"},
    )
    return figure
