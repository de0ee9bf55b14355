"""Class images: what must a picture look like for a classifier to say "eight"?"""

import streamlit as st

from genlib.explore.ascent import Knobs, noise
from genlib.plots.ascent import curves_figure
from genlib.ui import ascent_view as view
from genlib.ui.ascent_networks import pick_network, weights_panel
from genlib.ui.ascent_starts import pick_start
from genlib.ui.pickers import header, try_this

KEY = "class_images"

header(
    "Class images",
    "A trained classifier is turned around: its weights stay, and the *picture* climbs the "
    "gradient until the network is sure of the class you ask for. Everything may be changed while "
    "it climbs; it never starts over by itself.",
    r"\frac{\partial J}{\partial \text{score}_i} = \begin{cases}1 & i = \text{target}\\ 0 & "
    r"\text{else}\end{cases} \qquad X \leftarrow X + \eta\,\bigl(dX - 2\lambda X\bigr)",
    "Overview text “Generative models”, class visualization; Simonyan, Vedaldi & Zisserman 2013",
)

controls, picture = st.columns([1, 2], gap="large")
with controls:
    choice, lens = pick_network(f"{KEY}.network")
    network = lens.network
    small = len(network.classes) <= 12
    mode = st.segmented_control(
        "Show",
        ["one", "all"],
        format_func=lambda m: "One class" if m == "one" else f"All {len(network.classes)} at once",
        default="all" if small else "one",
        required=True,
        key=f"{KEY}.show",
        bind="query-params",
        disabled=not small,
        help="All classes climb together, in one batch, each towards its own class."
        if small
        else "A thousand pictures do not fit on a screen: pick one class.",
    )
    target = st.selectbox(
        "Class",
        range(len(network.classes)),
        index=min(8, len(network.classes) - 1),
        format_func=lambda c: network.classes[c],
        key=f"{KEY}.class",
        bind="query-params",
        disabled=small and mode == "all",
        help="Changing it keeps the picture: it goes on from where it is.",
    )
    classes = list(range(len(network.classes))) if small and mode == "all" else [target or 0]
    objective = st.segmented_control(
        "Climb",
        ["class score", "log-probability"],
        format_func=lambda o: "Score" if o == "class score" else "Log-probability",
        default="class score",
        required=True,
        key=f"{KEY}.objective",
        bind="query-params",
        help="The score alone, as in the lecture, or log p, which also pushes the other classes "
        "down and stops pushing when the network is sure.",
    )
    start = pick_start(KEY, network, len(classes))
    defaults = Knobs(lr=0.05, l2=0.05, jitter=1, blur_every=10, normalise=True) if small else (
        Knobs(lr=0.02, l2=0.01, jitter=16, blur_every=8, normalise=True)
    )  # fmt: skip
    knobs = view.knob_controls(KEY, defaults, network.shape[-1])
    knobs.objective = objective or "class score"
    weights_panel(KEY)

live = view.session_live(
    KEY, choice, lambda: view.begin(lens, start(lens), classes, knobs)
)
live.retarget(classes)
live.set_knobs(knobs)
if live.shown.step == 0 and not live.running:
    live.reset(start(lens))
with picture:
    view.transport(
        KEY, live, lambda: live.reset(start(lens)), "Begin again from the start chosen on the left."
    )
    labels = tuple(network.classes[c] for c in classes)
    view.show(view.Stage(KEY, live, labels, lambda c: network.classes[c]))
    view.downloads(KEY, live, f"class-images-{network.name}")
