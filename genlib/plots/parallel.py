"""Many runs at once: one line per run through an axis per setting, coloured by what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

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
