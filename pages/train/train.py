"""Train: choose a family, watch it learn, keep the model."""

import streamlit as st

from genlib.runs import queue
from genlib.runs.directory import Run
from genlib.ui.kit.pickers import choose
from genlib.ui.kit.stage import header, stage
from genlib.ui.train import actions, form, upload, watch
from genlib.ui.train.lessons import TRAIN

LINKED = "train.linked"  # the run that the link named after the last run of this script


def pick_run() -> Run | None:
    """The run to watch: its id is in the link, whatever its name and state."""
    known = {run.id: run for run in queue.listing()}
    if not known:
        return None
    linked = st.query_params.get("run", "")
    if linked in known and linked != st.session_state.get(LINKED):
        st.session_state[actions.WATCHED] = linked  # somebody came by a link
    if st.session_state.get(actions.WATCHED) not in known:
        st.session_state[actions.WATCHED] = next(iter(known))
    chosen = st.selectbox(
        "Run",
        list(known),
        format_func=lambda run_id: actions.title(known[run_id]),
        key=actions.WATCHED,
        label_visibility="collapsed",
        persist_state="session",
    )
    st.session_state[LINKED] = chosen
    if linked != chosen:
        st.query_params["run"] = chosen
    return known[chosen]


header(
    "Train",
    "Each step moves the weights a little so that the loss on a batch of images falls.",
    r"\theta \leftarrow \theta - \eta\, \nabla_\theta\, \frac{1}{B}\sum_{i=1}^{B} "
    r"L_\theta(x_i)",
    "Lecture text “Autoencoders to GANs”; Kingma & Ba 2014, arXiv:1412.6980 (Adam)",
    TRAIN,
)

SECTIONS = ("New run", "Watch", "Upload")

actions.offer_undo()
controls, picture = stage()
with controls:
    section = choose("What to do", SECTIONS, "train.show", hidden=True)
    run = pick_run() if section == "Watch" else None
if section == "Watch" and run:
    watch.show(run, controls, picture)
elif section == "Watch":
    picture.info("No run yet. Start one under “New run”.", icon=":material/info:")
elif section == "Upload":
    with picture:
        upload.panel()
else:
    form.new_run(controls, picture)
