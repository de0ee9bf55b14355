"""Runs: compare what was trained, and sweep a setting."""

import streamlit as st

from genlib.runs import queue
from genlib.runs import sweep as sweeps
from genlib.runs.directory import ACTIVE, Run
from genlib.ui import menu
from genlib.ui.kit.jobs import polled
from genlib.ui.kit.stage import header, stage
from genlib.ui.train import actions, runs, sweep
from genlib.ui.train.lessons import RUNS

header(
    "Runs",
    "Two runs that differ in one setting show what that setting does.",
    r"\theta^\ast(\lambda) = \arg\min_\theta L(\theta; \lambda), \qquad "
    r"\lambda \in \{\lambda_1, \dots, \lambda_k\}",
    "Article “Autoencoder, VAE, GAN”: latent spaces of 2, 10 and 100 numbers",
    RUNS,
)

POLL = 2.0  # seconds
EMPTY = 220  # pixels of the place for curves, before there are any
NEWEST = 4  # runs compared as long as none is chosen


def compared(everything: dict[str, Run]) -> list[Run]:
    """The runs to compare, by their ids in the link."""
    chosen = st.multiselect(
        "Compare",
        list(everything),
        key="runs.compare",
        bind="query-params",
        placeholder=f"the newest {NEWEST} of the newest run's family",
        help="By their ids, which are in the table's first column and in the link.",
    )
    picked = [everything[run_id] for run_id in chosen if run_id in everything]
    if picked:
        return picked
    # Losses of one family have one unit.
    family = next(iter(everything.values())).spec.family
    return [run for run in everything.values() if run.spec.family == family][:NEWEST]


def live(ids: list[str]) -> bool:
    """Curves and table of these runs; returns whether any run trains or waits."""
    queue.advance()
    everything = {run.id: run for run in queue.listing()}
    working = any(run.state in (*ACTIVE, "queued") for run in everything.values())
    chosen = [everything[run_id] for run_id in ids if run_id in everything]
    if not chosen:
        st.rerun()  # all of them were deleted meanwhile
    runs.curves(chosen)
    runs.overview(list(everything.values()), chosen)
    return working


actions.offer_undo()
everything = {run.id: run for run in queue.listing()}
controls, picture = stage()
with picture, st.container(key="runs.first"):
    if everything:
        with controls:
            chosen = compared(everything)
            runs.manage(everything)
        working = any(run.state in (*ACTIVE, "queued") for run in everything.values())
        polled("runs.live", live, [run.id for run in chosen], every=POLL, busy=working)
    else:
        with st.container(border=True, height=EMPTY):
            st.info("No run yet. Its curves will appear here.", icon=":material/info:")
            train = menu.page("train")
            st.page_link(train.file, label="Train a model", icon=train.icon)
with controls:
    st.subheader("Sweep one setting", anchor=False)
    sweep.start()
    runs.recently_deleted()

swept = sweeps.members()
if swept:
    names = list(swept)
    name = st.selectbox(
        "Result of the sweep",
        names,
        key="runs.sweep",
        bind="query-params",
        help="The runs that share its name; `genlib sweep` starts them from a shell.",
    )
    name = name if name in swept else names[0]
    runs.swept(name, swept[name])
