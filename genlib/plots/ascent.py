"""Curves of an ascent, to be inspected at rest: one line per class."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots


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
