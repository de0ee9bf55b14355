"""The curves of one run, live: each loss term by itself, train and test together.

Streamlit's Vega-Lite chart and not Plotly: it moves its lines when data come, Plotly redraws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from genlib.models import FAMILIES
from genlib.runs import events
from genlib.runs.directory import RunSpec
from genlib.settings import Event

if TYPE_CHECKING:  # it takes 0.4 s, for which a form without a run does not wait
    import pandas as pd

POINTS = 400  # of one curve on screen
HEIGHT = 330  # pixels of all charts together, without their axes' titles
LEAST = 70  # pixels of one of them
STEEP = 4  # times the least value: from there on, a logarithmic axis shows the fall and the rest

RATE: dict[str, object] = {  # a vertical line where the learning rate was changed
    "mark": {"type": "rule", "color": "gray", "strokeDash": [4, 3]},
    "transform": [{"filter": "datum.set == 'rate'"}],
    "encoding": {
        "y": None,
        "color": None,
        "tooltip": [
            {"field": "text", "type": "nominal", "title": "from here"},
            {"field": "epoch", "type": "quantitative", "format": ".2f"},
        ],
    },
}


def terms(records: list[Event]) -> list[str]:
    """The loss terms that the diary knows, "loss" first."""
    names = {name.partition("/")[2] for r in records for name in r.metrics if "/" in name}
    return sorted(names, key=lambda name: (name != "loss", name))


def frame(records: list[Event], term: str, epochs: int) -> pd.DataFrame:
    """Train and test values of one loss term: columns epoch, value, set; at most 2 × POINTS rows.

    Train values are those within the epochs where the run was slow enough to report any.
    """
    import pandas as pd

    placed = [r for r in records if r.metrics.get("steps", 0) > 0]
    steps = [r for r in placed if r.kind == "step"]
    whole = [r for r in placed if r.kind == "epoch"]
    train = steps if len(steps) >= 2 * len(whole) else whole
    rows: list[tuple[float, float, str]] = []
    for kind, chosen in (("train", train), ("test", whole)):
        stride = -(-len(chosen) // POINTS) or 1
        rows += [
            (r.step / r.metrics["steps"] * epochs, r.metrics[f"{kind}/{term}"], kind)
            for r in [*chosen[::stride], *(chosen[-1:] if stride > 1 else [])]
            if f"{kind}/{term}" in r.metrics
        ]
    return pd.DataFrame(rows, columns=["epoch", "value", "set"])


def changes(records: list[Event], epochs: int, lr: float) -> list[tuple[float, float]]:
    """[(epochs done, new rate)] where the learning rate, ``lr`` at first, was changed."""
    steps = next((r.metrics["steps"] for r in reversed(records) if "steps" in r.metrics), 1)
    found = events.rate_changes(records, lr)
    return [(step / steps * epochs, rate) for step, rate in found]


def unit(spec: RunSpec, term: str) -> str:
    """The unit of a run's loss term: "nats", "squared error per pixel"; "" for a family that this
    program doesn't know."""
    return FAMILIES[spec.family].unit(term, spec.model) if spec.family in FAMILIES else ""


def show(records: list[Event], spec: RunSpec) -> None:
    """One chart per loss term of a run, train and test, over epochs."""
    import pandas as pd

    epochs, lr = int(str(spec.train["epochs"])), float(str(spec.train["lr"]))
    found = terms(records)
    if not found:
        with st.container(border=True, height=240):
            st.caption("Curves appear after the first steps.")
        return
    changed = pd.DataFrame(
        [(at, "rate", f"learning rate {rate:g}") for at, rate in changes(records, epochs, lr)],
        columns=["epoch", "set", "text"],
    )
    for term in found:
        values = frame(records, term, epochs)
        st.vega_lite_chart(
            pd.concat([values, changed]),
            _chart(term, unit(spec, term), found, steep(values)),
            key=f"run_curves.{term}",
        )


def steep(values: pd.DataFrame) -> bool:
    """Whether a curve falls so far at first that the rest would be flat on a linear axis."""
    least = float(values["value"].min()) if len(values) else 0.0
    return least > 0 and float(values["value"].max()) > STEEP * least


def _chart(term: str, unit: str, among: list[str], log: bool) -> dict[str, object]:
    """A constant specification, so that the browser moves the lines instead of redrawing.

    Charts stand one above the other: the first has the legend, the last the axis' title.
    """
    first, last = term == among[0], term == among[-1]

    def line(kind: str, mark: dict[str, object]) -> dict[str, object]:
        return {
            "mark": {"type": "line", **mark},
            "transform": [{"filter": f"datum.set == '{kind}'"}],
        }

    return {
        "height": max(LEAST, HEIGHT // len(among)) + 30 * first + 30 * last,
        "layer": [
            line("train", {"strokeWidth": 1.5}),
            line("test", {"strokeWidth": 2.5, "point": {"size": 40, "filled": True}}),
            RATE,
        ],
        "encoding": _encoding([term.replace("_", " "), unit], first, last, log),
    }


def _encoding(title: list[str], first: bool, last: bool, log: bool) -> dict[str, object]:
    """Which column is drawn how."""
    scale: dict[str, object] = {"type": "log", "nice": False} if log else {"zero": False}
    return {
        "x": {
            "field": "epoch",
            "type": "quantitative",
            "title": "epoch" if last else None,
            "axis": {"tickCount": 8},
        },
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": [*title[:-1], f"{title[-1]}, log scale".lstrip(", ")] if log else title,
            "scale": scale,
            "axis": {"tickCount": 5} if log else {},
        },
        "color": {
            "field": "set",
            "type": "nominal",
            "title": None,
            "scale": {"domain": ["train", "test"]},
            "legend": {"orient": "top", "direction": "horizontal"} if first else None,
        },
        "tooltip": [
            {"field": "set", "type": "nominal"},
            {"field": "epoch", "type": "quantitative", "format": ".2f"},
            {"field": "value", "type": "quantitative", "format": ".5g"},
        ],
    }
