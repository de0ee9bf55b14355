"""Class images: what must a picture look like for a classifier to say "three"?"""

from dataclasses import replace

import streamlit as st
import torch

from genlib.explore.ascent.knobs import octaves_that_differ
from genlib.plots.curves import curves_figure
from genlib.ui.classifiers import ascent
from genlib.ui.classifiers.class_images import CLASS, FEW, KEY, begins_with, pick_start
from genlib.ui.classifiers.lessons import CLASS_IMAGES
from genlib.ui.classifiers.networks import pick_network, pick_partner, weights_panel
from genlib.ui.components.film import PANELS
from genlib.ui.kit.pickers import choose
from genlib.ui.kit.stage import header, how_to_read, stage, stage_first

OBJECTIVES = {"class score": "Score", "log-probability": "Log-probability"}

header(
    "Class images",
    "A trained classifier is turned around: its weights stay, and the *picture* climbs until the "
    "network is sure of the class you ask for.",
    r"\frac{\partial J}{\partial \text{score}_i} = \begin{cases}1 & i = \text{target}\\ 0 & "
    r"\text{else}\end{cases} \qquad X \leftarrow X + \eta\,\bigl(dX - 2\lambda X\bigr)",
    "Overview text “Generative models”, class visualization; Simonyan, Vedaldi & Zisserman 2013; "
    "robust networks: Tsipras et al. 2019, arXiv:1805.12152",
    lessons=CLASS_IMAGES,
)

controls, picture = stage()
with controls:
    choice, lens = pick_network(f"{KEY}.network", "classifier-robust")
    lenses = {choice: lens, **pick_partner(f"{KEY}.beside", choice)}
    names = lens.network.classes
    few = len(names) <= FEW
    mode = choose(
        "Show",
        {"one": "One class", "all": "All at once"},
        f"{KEY}.show",
        "All classes climb together, in one batch, each towards its own."
        if few
        else "A thousand pictures don't fit on a screen: one class at a time.",
        wrap=True,
        disabled=not few,
    )
    wall = few and mode == "all"
    target = st.selectbox(
        "Class",
        range(len(names)),
        index=min(CLASS, len(names) - 1),
        format_func=lambda c: names[c],
        key=f"{KEY}.class",
        bind="query-params",
        disabled=wall,
        help="All classes are shown: choose “One class” above to pick one."
        if wall
        else "Changing it keeps the picture, which goes on from where it is.",
    )
    wanted = list(range(len(names))) if wall else [target or 0]
    classes = [k * len(names) + c for k in range(len(lenses)) for c in wanted]
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
    start = pick_start(KEY, lens.network, len(wanted))
    knobs = st.container()
    weights_panel(KEY)

first = start(lens).repeat(len(lenses), 1, 1, 1)
knobs_key, defaults = begins_with(lens.network)
defaults = replace(defaults, objective=objective, octaves=octaves)
live = ascent.session_live(
    KEY,
    lenses,
    lambda: ascent.begin(list(lenses.values()), first, wanted, defaults),
)
live.retarget(classes)
with knobs:
    ascent.turn_knobs(knobs_key, live, defaults, lens.network.shape[-1])
if live.shown.step == 0 and not live.running and not torch.equal(live.original, first):
    live.reset(first)
ascent.climb_as_linked(KEY, live, first)

with picture:
    ascent.transport(KEY, live, lambda: live.reset(first), "Begin again from the start chosen.")
    ascent.show(ascent.Stage(KEY, live))

ascent.downloads(KEY, live, f"class-images-{lens.network.name}")
stage_first()
seen, steps, table = live.curves.table()
if not live.running and len(steps) > 1:
    with st.expander("Inspect the curves", icon=":material/show_chart:"):
        st.plotly_chart(
            curves_figure(steps, table, ascent.line_names(live, seen), PANELS),
            key=f"{KEY}.curves",
        )

with how_to_read():
    st.markdown(
        "Both networks get the same start, the same steps and the same random moves. Under each "
        "picture is the probability that its own network gives to the class asked for, measured "
        "on exactly the picture you see. You can change everything while it climbs; it never "
        "starts over by itself. Another network goes on from the picture that is there.\n\n"
        "A picture that satisfies a network completely need not look like anything to us. A "
        "classifier only learns what tells the classes *apart*; it says nothing about what is "
        "likely. That is the difference between p(class | image) and the generative models on the "
        "other pages. A **robust** network was trained on images changed, within a small distance, "
        "to fool it. Faint stripes don't move its answer any more, so its gradient has to draw "
        "strokes."
    )
