"""Class images: what must a picture look like for a classifier to say "eight"?"""

from dataclasses import replace

import streamlit as st
import torch

from genlib.explore.ascent.knobs import Knobs, octaves_that_differ
from genlib.plots.curves import curves_figure
from genlib.ui.classifiers import ascent
from genlib.ui.classifiers.networks import pick_network, weights_panel
from genlib.ui.classifiers.starts import pick_start
from genlib.ui.kit.pickers import choose, try_this
from genlib.ui.kit.stage import header, stage

KEY = "class_images"
OBJECTIVES = {"class score": "Score", "log-probability": "Log-probability"}
SMALL = Knobs(lr=0.05, l2=0.5, jitter=2, blur_every=5, normalise=True, scale=0.15, rotate=15.0)
LARGE = Knobs(lr=0.02, l2=0.05, jitter=16, blur_every=8, normalise=True)

header(
    "Class images",
    "A trained classifier is turned around: its weights stay, and the *picture* climbs until the "
    "network is sure of the class you ask for.",
    r"\frac{\partial J}{\partial \text{score}_i} = \begin{cases}1 & i = \text{target}\\ 0 & "
    r"\text{else}\end{cases} \qquad X \leftarrow X + \eta\,\bigl(dX - 2\lambda X\bigr)",
    "Overview text “Generative models”, class visualization; Simonyan, Vedaldi & Zisserman 2013",
)

controls, picture = stage()
with controls:
    choice, lens = pick_network(f"{KEY}.network")
    names = lens.network.classes
    few = len(names) <= 12
    mode = choose(
        "Show",
        {"all": "All at once", "one": "One class"},
        f"{KEY}.show",
        "All classes climb together, in one batch, each towards its own."
        if few
        else "A thousand pictures do not fit on a screen: one class at a time.",
        wrap=True,
        disabled=not few,
    )
    wall = few and mode == "all"
    target = st.selectbox(
        "Class",
        range(len(names)),
        index=min(8, len(names) - 1),
        format_func=lambda c: names[c],
        key=f"{KEY}.class",
        bind="query-params",
        disabled=wall,
        help="All classes are shown: choose “One class” above to pick one."
        if wall
        else "Changing it keeps the picture, which goes on from where it is.",
    )
    classes = list(range(len(names))) if wall else [target or 0]
    objective = choose(
        "Climb",
        OBJECTIVES,
        f"{KEY}.objective",
        "The score before the softmax, as in the lecture; or log p in nats, which also pushes "
        "the other classes down.",
        wrap=True,
    )
    height, width = lens.network.shape[1:]
    octaves = ascent.pick_octaves(
        KEY, octaves_that_differ((height, width), lens.smallest(), 4), 1, "strokes then appear"
    )
    start = pick_start(KEY, lens.network, len(classes))
    knobs = st.container()
    weights_panel(KEY)

defaults = replace(SMALL if few else LARGE, objective=objective or "class score", octaves=octaves)
live = ascent.session_live(KEY, choice, lambda: ascent.begin(lens, start(lens), classes, defaults))
live.retarget(classes)
with knobs:
    ascent.turn_knobs(KEY, live, defaults, lens.network.shape[-1])
if live.shown.step == 0 and not live.running and not torch.equal(live.original, start(lens)):
    live.reset(start(lens))

with picture:
    ascent.transport(
        KEY, live, lambda: live.reset(start(lens)), "Begin again from the start chosen."
    )
    ascent.show(ascent.Stage(KEY, live))

ascent.downloads(KEY, live, f"class-images-{lens.network.name}")
seen, steps, table = live.curves.table()
if not live.running and len(steps) > 1:
    with st.expander("Inspect the curves", icon=":material/show_chart:"):
        st.plotly_chart(
            curves_figure(steps, table, [names[c] for c in seen], ascent.PANELS),
            key=f"{KEY}.curves",
        )

st.markdown(
    """
**How to read it.** Under each picture is the probability that the network gives to the class asked
for, measured on exactly the picture you see. The gradient norm says how steep the slope still is.
Everything may be changed while the picture climbs; it never starts over by itself.

A picture that satisfies the network completely need not look like anything to us: the network only
learnt what tells the classes *apart*, and says nothing about what is likely. That is the difference
between a classifier, p(class | image), and the generative models on the other pages.
"""
)
try_this(
    [
        "Press **Start** and watch all ten pass 99 %. Then set **L2** and **blur** to 0: just as "
        "sure, much less of a digit.",
        "Choose **One class**, let it climb to 8, and change the class to 3 while it runs: which "
        "strokes go first?",
        "**Start from** a real digit, Reset, and make single **steps** towards another class: how "
        "little must change before the network changes its mind?",
    ]
)
