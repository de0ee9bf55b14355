"""Runs side by side: which settings differ, whose curve is lower; and what a sweep of them gave.

A sweep has its best setting, a table, curves grouped by a setting, and every run at once: the
numbers that ``genlib sweep --show NAME`` prints, read from the headers of the runs' newest
checkpoints, one small read per run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

import pandas as pd
import streamlit as st

from genlib.plots.curves import compare, parallel
from genlib.runs import events, queue, sweep
from genlib.runs.directory import Run
from genlib.runs.sweep import Outcome
from genlib.settings import Event
from genlib.store.checkpoint import CheckpointError, peek
from genlib.tracking.follow import all_settings
from genlib.ui import menu
from genlib.ui.kit import rights
from genlib.ui.kit.pickers import choose
from genlib.ui.kit.plain import in_chart, plain
from genlib.ui.train import actions, watch
from genlib.ui.train import sweep as strips
from genlib.ui.train.curves import changes, unit

HIGHLIGHT = "background-color: rgba(224, 150, 20, 0.28); font-weight: 600"
NEVER = ("channels", "image_size")
PLOT = 300  # pixels of a plot; several share a little more
LOSS = "After the last complete epoch. Losses in different units can't be compared."
MOST_RATES = 3  # changes of a learning rate in one cell of the table, the last ones
MOST_FILTERS = 4  # settings that can be filtered by
MOST_STRIPS = 12  # settings whose reconstructions are drawn
TABLE = 320  # pixels
VIEWS = ("Reconstructions", "Table", "Curves", "All runs at once")


def records(run: Run) -> list[Event]:
    """The run's event log, of which only what was added since the last look is read."""
    return watch.diary(run)


def settings(run: Run) -> dict[str, str]:
    """All settings of a run as text, the ones it did not name included.

    A learning rate that was changed during the training reads "0.001 → 0.01 (epoch 2.5)".
    """
    found = all_settings(run.spec)
    texts = {name: as_text(value) for name, value in found.items() if name not in NEVER}
    changed = rate_changes(run)
    texts["lr"] += " → …" if len(changed) > MOST_RATES else ""
    for epoch, rate in changed[-MOST_RATES:]:
        texts["lr"] += f" → {rate:g} (epoch {epoch:.3g})"
    return texts


def rate_changes(run: Run) -> list[tuple[float, float]]:
    """[(epochs done, new rate)] where the learning rate was changed during the training."""
    train = run.spec.train
    epochs, lr = int(str(train["epochs"])), float(str(train["lr"]))
    return changes(records(run), epochs, lr)


def as_text(value: object) -> str:
    """A setting's value for a table: lists as "500, 300", numbers without noise."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if value != "" else "all"


def differing(chosen: Sequence[Run]) -> list[str]:
    """Names of the settings that differ between the runs, in their usual order."""
    each = [settings(run) for run in chosen]
    names = list(dict.fromkeys(name for one in each for name in one))
    return [name for name in names if len({one.get(name) for one in each}) > 1]


def overview(everything: Sequence[Run], chosen: Sequence[Run]) -> None:
    """The table of all runs; settings that differ among the chosen ones have columns of their
    own, and in them the values that the majority does not share are highlighted."""
    differ = differing(chosen) if len(chosen) > 1 else []
    rows = [_row(run, differ) for run in everything]
    index = pd.Index([run.id for run in everything], name="run")
    table = pd.DataFrame(rows, index=index)
    if all(run.name == run.id for run in everything):
        del table["name"]  # no run has a name of its own
    losses = [name for name in table if " loss, " in name]
    numbers = {**dict.fromkeys(losses, "{:.4g}"), "minutes": "{:.1f}"}
    styled = table.style.format(numbers, na_rep="–")
    ids = [run.id for run in chosen]
    for name in differ:
        counts = table.loc[ids, name].value_counts()
        usual = counts.index[0] if 2 * counts.iloc[0] > len(ids) else None
        odd = [i for i in ids if table.loc[i, name] != usual]
        styled = styled.map(lambda _: HIGHLIGHT, subset=pd.IndexSlice[odd, [name]])
    st.dataframe(
        styled,
        column_config={
            "name": st.column_config.TextColumn(pinned=True),
            **{name: st.column_config.NumberColumn(help=LOSS) for name in losses},
            "minutes": st.column_config.NumberColumn(help="Training time without pauses."),
        },
        height=min(42 + 38 * max(len(rows), 1), 240),
        placeholder="–",
        key="runs.table",
    )


def loss_unit(run: Run, term: str = "loss") -> str:
    """The unit of a run's loss, which has a column of its own in the table."""
    return unit(run.spec, term) or f"{run.spec.family}'s own unit"


def _row(run: Run, differ: Sequence[str]) -> dict[str, object]:
    diary = records(run)
    whole = [r for r in diary if r.kind == "epoch"]
    numbers = whole[-1].metrics if whole else {}
    mine = settings(run)
    unit = loss_unit(run)
    epochs = as_text(run.spec.train.get("epochs", ""))
    return {
        "name": run.name,
        "state": run.state,
        "family": mine["family"],
        "epoch": f"{whole[-1].epoch if whole else 0} / {epochs}",
        f"train loss (mean of the epoch), {unit}": numbers.get("train/loss"),
        f"test loss, {unit}": numbers.get("test/loss"),
        "minutes": numbers["seconds"] / 60 if "seconds" in numbers else None,
        **{name: mine.get(name, "–") for name in differ},
    }


def curves(chosen: Sequence[Run]) -> None:
    """The chosen runs' curves of one metric, in one plot."""
    found = {
        run.id: events.curves([r for r in records(run) if r.kind == "epoch"]) for run in chosen
    }
    metrics = sorted({name for one in found.values() for name in one if "/" in name})
    metrics.sort(key=lambda name: name != "test/loss")
    if not metrics:
        st.caption("Curves appear after the first complete epoch.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.selectbox(
            "Curve",
            metrics,
            key="runs.metric",
            bind="query-params",
            width=260,
            help="A loss term on the training or the test images.",
        )
        log = st.toggle(
            "Logarithmic", key="runs.log", bind="query-params", help="Scale of the vertical axis."
        )
    differ = [name for name in differing(chosen) if name != "family"][:2]
    shown = {
        in_chart(label(run, differ)): run for run in chosen if metric and metric in found[run.id]
    }
    units = {name: loss_unit(run, (metric or "").partition("/")[2]) for name, run in shown.items()}
    each = list(dict.fromkeys(units.values()))  # one plot for each unit
    for one in each:
        lines = {n: found[run.id][metric or ""] for n, run in shown.items() if units[n] == one}
        marks = {name: rate_changes(shown[name]) for name in lines}
        title = in_chart(f"{metric}, {one}")
        height = PLOT if len(each) == 1 else int(1.4 * PLOT / len(each))
        figure = compare(lines, title, log, marks).update_layout(height=height)
        st.plotly_chart(figure, key=f"runs.curves.{one}")


def label(run: Run, differ: Sequence[str]) -> str:
    """A run's name and what sets it apart: "vae-3 (beta 4)"."""
    mine = settings(run)
    parts = [f"{name} {mine[name]}" for name in differ if name in mine]
    apart = ", ".join(part.replace("_", " ") for part in parts if part not in run.name)
    return f"{run.name} ({apart})" if apart else run.name


def manage(everything: Mapping[str, Run]) -> None:
    """Open or delete one run."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run_id = st.selectbox(
            "One run",
            list(everything),
            format_func=lambda i: actions.title(everything[i]),
            key="runs.one",
            help="Open it on the Train page, or delete it.",
        )
        run = everything[run_id or next(iter(everything))]
        st.page_link(
            menu.page("train").file,
            label="Watch, rename, download" if rights.may_change() else "Watch, download",
            icon=":material/monitoring:",
            query_params={"train.show": "Watch", "run": run.id},
        )
        if not rights.may_change():
            return
        busy = run.alive
        st.button(
            "Delete",
            icon=":material/delete:",
            key="runs.delete",
            disabled=busy,
            help="Stop it first, on the Train page." if busy else "Can be undone.",
            on_click=actions.delete,
            args=(run,),
        )


def recently_deleted() -> None:
    """The trash: what was deleted here or in another session."""
    trashed = queue.trashed()
    if not trashed or not rights.may_change():
        return
    with (
        st.expander(f"Recently deleted ({len(trashed)})", icon=":material/delete:"),
        st.container(horizontal=True),
    ):
        for run in trashed:
            st.button(
                f"Restore {plain(run.name)}",
                icon=":material/undo:",
                key=f"runs.restore.{run.id}",
                on_click=actions.restore,
                args=(run.id,),
            )


# ------------------------------------------------------------------------------ what a sweep gave


def swept(name: str, members: Sequence[Run]) -> None:
    """All that is known of the sweep ``name``; ``members`` are its runs, oldest first."""
    names = sweep.varied(members)
    table = sweep.rows(members, names)
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
        highest = st.toggle("Higher is better", key="sweep.highest", bind="query-params")
        kept = _filters(table, names)
    metric = metric or metrics[0]
    _best(kept, metric, highest)
    first = VIEWS[0] if len(table) <= MOST_STRIPS else VIEWS[1]
    view = choose("View", VIEWS, "sweep.view", default=first)
    drawn = {
        "Table": lambda: _table(kept, metrics, metric, name),
        "Curves": lambda: _grouped_curves(kept, names, metric),
        "All runs at once": lambda: _parallel(kept, metric),
        "Reconstructions": lambda: _strips(kept),
    }
    drawn[view]()


def _filters(table: Sequence[Outcome], names: Sequence[str]) -> list[Outcome]:
    """One choice of values per setting; the rows that have them."""
    kept = list(table)
    for setting in names[:MOST_FILTERS]:
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


def _grouped_curves(table: Sequence[Outcome], names: Sequence[str], metric: str) -> None:
    """One line per value of a setting: the mean of its runs' curves."""
    setting = st.selectbox(
        "One line for each",
        names or ["run"],
        key="sweep.group",
        bind="query-params",
        width=260,
        help="The mean over all runs with that value, seeds and other settings together.",
    )
    lines = {
        in_chart(f"{setting} {value}"): _mean(found)
        for value, found in grouped(table, str(setting), metric).items()
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


def _mean(each: Sequence[Mapping[int, float]]) -> list[tuple[float, float]]:
    """The mean over the curves that reach an epoch."""
    epochs = sorted({epoch for curve in each for epoch in curve})
    return [(e, fmean(curve[e] for curve in each if e in curve)) for e in epochs]


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
