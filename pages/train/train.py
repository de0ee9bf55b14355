"""Train: choose a family, watch it learn, keep the model."""

import streamlit as st

from genlib.runs import queue
from genlib.runs.directory import Run
from genlib.ui.kit.pickers import choose, try_this
from genlib.ui.kit.stage import header, stage
from genlib.ui.train import actions, form, upload, watch

LINKED = "train.linked"  # the run that the link named after the last run of this script


def pick_run() -> Run | None:
    """The run to watch: its id is in the link, whatever its name and state."""
    known = {run.id: run for run in queue.listing()}
    if not known:
        return None
    linked = st.query_params.get("run", "")
    if linked in known and linked != st.session_state.get(LINKED):
        st.session_state["train.run"] = linked  # somebody came by a link
    if st.session_state.get("train.run") not in known:
        st.session_state["train.run"] = next(iter(known))
    chosen = st.selectbox(
        "Run",
        list(known),
        format_func=lambda run_id: actions.title(known[run_id]),
        key="train.run",
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
    picture.info("There is no run yet. Start one under “New run”.", icon=":material/info:")
elif section == "Upload":
    with picture:
        upload.panel()
else:
    form.new_run(controls, picture)

try_this(
    [
        "Start the recipe **ae-30** and watch the reconstructions: after one epoch they are blurs "
        "of the right digit. Which digits stay wrong longest?",
        "While a run trains, raise its learning rate tenfold. Does the loss recover when you put "
        "it back?",
        "Train a **VAE** with beta 0.1 and with beta 10 and compare the two under Runs: what does "
        "the weaker KL buy, and what does it cost when sampling on the Latent space page?",
    ]
)
