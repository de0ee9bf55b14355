"""Runs side by side: which settings differ, whose curve is lower, what each reconstructs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from genlib.plots.curves import compare
from genlib.runs import events, queue
from genlib.runs.directory import Run
from genlib.settings import Event
from genlib.tracking.follow import all_settings
from genlib.ui import menu
from genlib.ui.kit import rights
from genlib.ui.kit.plain import in_chart, plain
from genlib.ui.train import actions, watch
from genlib.ui.train.curves import changes, unit

HIGHLIGHT = "background-color: rgba(224, 150, 20, 0.28); font-weight: 600"
NEVER = ("channels", "image_size")
PLOT = 300  # pixels of a plot; several share a little more
LOSS = "After the last complete epoch. Losses in different units can't be compared."
MOST_RATES = 3  # changes of a learning rate in one cell of the table, the last ones


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
