"""What a sweep gave: its best setting, a table, curves grouped by a setting, every run at once.

``genlib sweep --show NAME`` prints the same numbers. They are read from the headers of the runs'
newest checkpoints, one small read per run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

import pandas as pd
import streamlit as st

from genlib.plots.curves import compare, parallel
from genlib.runs import sweep
from genlib.runs.directory import Run
from genlib.runs.sweep import Outcome
from genlib.store.checkpoint import CheckpointError, peek
from genlib.ui import menu
from genlib.ui.kit.pickers import choose
from genlib.ui.kit.plain import in_chart, plain
from genlib.ui.train import sweep as strips

MOST_FILTERS = 4  # settings that can be filtered by
MOST_STRIPS = 12  # settings whose reconstructions are drawn
TABLE = 320  # pixels
VIEWS = ("Reconstructions", "Table", "Curves", "All runs at once")


def show(name: str, members: Sequence[Run]) -> None:
    """All that is known of the sweep ``name``; ``members`` are its runs, oldest first."""
    settings = sweep.varied(members)
    table = sweep.rows(members, settings)
    metrics = sweep.metrics(table)
    counts = Counter(run.state for run in members)
    st.caption(f"{len(members)} runs: {', '.join(f'{n} {state}' for state, n in counts.items())}.")
    if not metrics:
        st.info("Numbers come with the first complete epoch.", icon=":material/hourglass_empty:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.selectbox(
            "Metric",
            metrics,
            key="sweep.metric",
            bind="query-params",
            width=260,
            help="After the last complete epoch; mean over seeds.",
        )
        highest = st.toggle("Highest is best", key="sweep.highest", bind="query-params")
        kept = _filters(table, settings)
    metric = metric or metrics[0]
    _best(kept, metric, highest)
    first = VIEWS[0] if len(table) <= MOST_STRIPS else VIEWS[1]
    view = choose("View", VIEWS, "sweep.view", default=first)
    drawn = {
        "Table": lambda: _table(kept, metrics, metric, name),
        "Curves": lambda: _curves(kept, settings, metric),
        "All runs at once": lambda: _parallel(kept, metric),
        "Reconstructions": lambda: _strips(kept),
    }
    drawn[view]()


def _filters(table: Sequence[Outcome], settings: Sequence[str]) -> list[Outcome]:
    """One choice of values per setting; the rows that have them."""
    kept = list(table)
    for setting in settings[:MOST_FILTERS]:
        values = list(dict.fromkeys(row.settings[setting] for row in table))
        if len(values) > MOST_STRIPS:
            continue  # a search has as many values as runs: the table sorts them
        chosen = st.multiselect(
            plain(setting), values, key=f"sweep.only.{setting}", placeholder="all", width=200
        )
        kept = [row for row in kept if not chosen or row.settings[setting] in chosen]
    return kept


def _best(table: Sequence[Outcome], metric: str, highest: bool) -> None:
    """The best setting in a sentence, and the way to its run."""
    first = sweep.best(table, metric, highest)
    if first is None:
        st.caption("No run with these values has this metric yet.")
        return
    mean, error, n = first.metrics[metric]
    how = ", ".join(f"{name} = {value or 'default'}" for name, value in first.settings.items())
    sure = "" if math.isnan(error) else f" ± {error:.2g} over {n} seeds"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Best: **{plain(how or first.runs[0].id)}** with {mean:.5g}{sure}.")
        st.page_link(
            menu.page("train").file,
            label=plain(f"Watch {first.runs[0].id}"),
            icon=":material/monitoring:",
            query_params={"train.show": "Watch", "run": first.runs[0].id},
        )


def _table(table: Sequence[Outcome], metrics: Sequence[str], metric: str, name: str) -> None:
    """One row per setting; a click on a column's head sorts."""
    order = [metric, *(other for other in metrics if other != metric)]
    rows = []
    for row in table:
        found: dict[str, object] = {n: _number(v) for n, v in row.settings.items()}
        found |= {"runs": len(row.runs), "run": row.runs[0].id}
        for one in order:
            mean, error, _ = row.metrics.get(one, (math.nan, math.nan, 0))
            found[one] = mean
            if any(len(other.runs) > 1 for other in table):
                found[f"{one} ±"] = error
        rows.append(found)
    frame = pd.DataFrame(rows).set_index("run") if rows else pd.DataFrame()
    numbers = [column for column in frame if any(column.startswith(m) for m in metrics)]
    st.dataframe(
        frame,
        height=min(42 + 36 * max(len(rows), 1), TABLE),
        placeholder="–",
        column_config={c: st.column_config.NumberColumn(format="%.5g") for c in numbers},
        key="sweep.table",
    )
    st.download_button(
        "CSV", sweep.as_csv(table), f"{name[:60]}.csv", icon=":material/download:", key="sweep.csv"
    )


def _number(text: str) -> float | str:
    """A setting as a number where it is one, so that 10 is sorted after 2."""
    try:
        return float(text)
    except ValueError:
        return text or "default"


def _curves(table: Sequence[Outcome], settings: Sequence[str], metric: str) -> None:
    """One line per value of a setting: the mean of its runs' curves."""
    setting = st.selectbox(
        "One line for each",
        settings or ["run"],
        key="sweep.group",
        bind="query-params",
        width=260,
        help="The mean over all runs with that value, seeds and other settings together.",
    )
    lines = {
        in_chart(f"{setting} {value}"): _mean(curves)
        for value, curves in grouped(table, str(setting), metric).items()
    }
    shown = {name: points for name, points in lines.items() if points}
    if not shown:
        st.caption("This metric was measured once, not after every epoch.")
        return
    st.plotly_chart(compare(shown, in_chart(metric)), key="sweep.curves")


def grouped(
    table: Sequence[Outcome], setting: str, metric: str
) -> dict[str, list[dict[int, float]]]:
    """Value of a setting -> for each of its runs, epoch -> metric."""
    found: dict[str, list[dict[int, float]]] = {}
    for row in table:
        for run in row.runs:
            value = row.settings.get(setting, run.id) or "default"
            found.setdefault(value, []).append(_history(run, metric))
    return found


def _history(run: Run, metric: str) -> dict[int, float]:
    try:
        history = peek(run.model).history if run.model else []
    except CheckpointError:
        return {}
    return {int(row["epoch"]): row[metric] for row in history if metric in row}


def _mean(curves: Sequence[Mapping[int, float]]) -> list[tuple[float, float]]:
    """The mean over the curves that reach an epoch."""
    epochs = sorted({epoch for curve in curves for epoch in curve})
    return [(e, fmean(curve[e] for curve in curves if e in curve)) for e in epochs]


def _parallel(table: Sequence[Outcome], metric: str) -> None:
    """One line per setting of the sweep, through its values to its metric."""
    known = [row for row in table if metric in row.metrics]
    if not known:
        st.caption("No run has this metric yet.")
        return
    names = list(known[0].settings)
    columns: dict[str, list[float | str]] = {
        in_chart(name): _column([row.settings[name] for row in known]) for name in names
    }
    columns[in_chart(metric)] = [row.metrics[metric][0] for row in known]
    st.plotly_chart(parallel(columns, in_chart(metric)), key="sweep.parallel")
    st.caption("Drag along an axis to keep the lines that pass there.")


def _column(texts: Sequence[str]) -> list[float | str]:
    numbers = [_number(text) for text in texts]
    if all(isinstance(number, float) for number in numbers):
        return numbers
    return [text or "default" for text in texts]


def _strips(table: Sequence[Outcome]) -> None:
    """The same test digits, reconstructed by the first run of each setting."""
    if len(table) > MOST_STRIPS:
        st.caption(f"The first {MOST_STRIPS} of {len(table)} settings; filter to see others.")
    strips.result([row.runs[0] for row in table[:MOST_STRIPS]])
