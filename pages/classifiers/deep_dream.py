"""DeepDream: what does a layer see in a picture, if it is told to see more of it?"""

import streamlit as st
import torch

from genlib.data.pictures.photographs import MAX_BYTES, PictureError, decode, sample
from genlib.explore.ascent.knobs import Knobs, octaves_that_differ
from genlib.ui.classifiers import ascent
from genlib.ui.classifiers.networks import pick_network, weights_panel
from genlib.ui.kit import loading, rights
from genlib.ui.kit.pickers import choose, try_this
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import header, stage

KEY = "deep_dream"
PICTURES = {"flower": "Flower", "china": "Temple", "upload": "Your own"}

header(
    "DeepDream",
    "A network looks at a picture, and whatever one of its layers finds there is made stronger, "
    "step by step.",
    r"\frac{\partial J}{\partial a} = a \quad\Leftrightarrow\quad "
    r"J = \tfrac12 \lVert a \rVert^2 \qquad X \leftarrow X + \eta\,(dX - 2\lambda X)",
    "Overview text “Generative models”, Google DeepDream; Mordvintsev, Olah & Tyka 2015",
)

controls, picture = stage()
with controls:
    choice, lens = pick_network(f"{KEY}.network")
    if choice in {info.name for info in loading.checkpoints("Classifies")}:
        st.caption(
            "This network has only seen small images. It dreams of strokes and "
            "textures, not of eyes or dogs. For those, get ImageNet weights below."
        )
    by_name = {layer.name: layer for layer in lens.layers}
    chosen = st.selectbox(
        "Layer",
        list(by_name),
        index=2 * len(by_name) // 3,
        key=f"{KEY}.layer",
        bind="query-params",
        help="In the order of computation. Early layers see edges and textures, late ones parts.",
    )
    layer = by_name.get(chosen) or lens.layers[-1]
    st.caption(f"{layer.kind} with {layer.channels} channels")
    whole = st.toggle(
        "Whole layer",
        True,
        key=f"{KEY}.whole",
        bind="query-params",
        help="Off: the mean of one channel is climbed instead.",
    )
    channel = st.number_input(
        "Channel",
        0,
        layer.channels - 1,
        0,
        key=f"{KEY}.channel",
        bind="query-params",
        disabled=whole,
        help="The whole layer is climbed: switch that off to pick a channel."
        if whole
        else f"One of the layer's {layer.channels} feature maps.",
    )
    name = choose(
        "Picture",
        {k: v for k, v in PICTURES.items() if k != "upload" or rights.may_change()},
        f"{KEY}.picture",
        wrap=True,
    )
    given = None
    if name == "upload":
        given = st.file_uploader(
            "A picture",
            type=["png", "jpg", "jpeg", "webp", "bmp", "gif"],
            key=f"{KEY}.file",
            max_upload_size=MAX_BYTES // 1_000_000,
            help="It stays in this session.",
        )
        if given is None:
            st.caption("Until a picture is given, the flower is shown.")
    longest = st.select_slider(
        "Longer side (pixels)",
        [96, 160, 224, 320, 448],
        224,
        key=f"{KEY}.side",
        bind="query-params",
        help="Time per step grows with its square.",
    )
    try:
        data = (
            given.getvalue() if given is not None else sample(name if name == "china" else "flower")
        )
        grey, smallest = lens.network.shape[0] == 1, lens.smallest(lens.layers[-1].name)
        image = decode(data, int(longest), grey, smallest)
    except PictureError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        st.stop()
    height, width = image.shape[2:]
    most = octaves_that_differ((height, width), lens.smallest(layer.name), 6)
    octaves = ascent.pick_octaves(KEY, most, 3, "the same feature then appears")
    defaults = Knobs(
        "layer activation" if whole else "channel",
        layer.name,
        -1 if whole else min(int(channel or 0), layer.channels - 1),
        lr=0.02,
        jitter=8,
        normalise=True,
        octaves=octaves,
    )
    knobs = st.container()
    weights_panel(KEY)

live = ascent.session_live(KEY, choice, lambda: ascent.begin(lens, image, [0], defaults))
if not torch.equal(live.original, image):
    live.reset(image)
with knobs:
    ascent.turn_knobs(KEY, live, defaults, int(longest))

with picture:
    ascent.transport(KEY, live, lambda: live.reset(image), "Back to the original picture.")
    ascent.show(
        ascent.Stage(
            KEY,
            live,
            captions=False,
            compare=True,
            panels=("½ ‖activation‖²" if whole else "Mean activation", "", "Gradient norm"),
        )
    )

ascent.downloads(KEY, live, f"deep-dream-{lens.network.name}")
st.markdown(
    """
**How to read it.** The gradient at the layer is set to the layer's own activation, and the picture
climbs. Nothing is added that the layer did not already respond to a little: each step makes the
strongest responses stronger still. What appears is therefore what this layer has learnt
to look for. Drag the handle over the picture, or the slider below it, to uncover the original.
"""
)
try_this(
    [
        "Start with an **early layer**, then move to a late one while it runs: from edges and "
        "textures to parts of things.",
        "Set **octaves** to 1: all features now have one size.",
        "Compare a trained network with the same one **untrained**: which patterns need learning, "
        "and which come from convolution and ReLU alone?",
    ]
)
