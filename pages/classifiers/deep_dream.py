"""DeepDream: what does a layer see in a picture, if it is told to see more of it?"""

from dataclasses import replace

import streamlit as st
import torch

from genlib.data.pictures.photographs import MAX_BYTES, PictureError, decode, sample
from genlib.explore.ascent.knobs import octaves_that_differ
from genlib.ui.classifiers import ascent, deep_dream
from genlib.ui.classifiers.deep_dream import KEY, KNOBS
from genlib.ui.classifiers.lessons import DEEP_DREAM
from genlib.ui.classifiers.networks import pick_network, weights_panel
from genlib.ui.kit import loading, rights
from genlib.ui.kit.pickers import choose
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import header, how_to_read, stage

PICTURES = {"china": "Temple", "flower": "Flower", "upload": "Your own"}
PICTURES_OF = {"china": "china", "flower": "flower", "upload": "china"}  # files

header(
    "DeepDream",
    "A network looks at a photograph. Whatever one of its layers finds there is made stronger, "
    "step by step.",
    r"\frac{\partial J}{\partial a} = a \quad\Leftrightarrow\quad "
    r"J = \tfrac12 \lVert a \rVert^2 \qquad X \leftarrow X + \eta\,\Bigl(\frac{dX}"
    r"{\mathrm{rms}(dX)} - 2\kappa\,(X - X_0)\Bigr)",
    "Overview text “Generative models”, Google DeepDream; Mordvintsev, Olah & Tyka 2015. The "
    "gradient is divided by its root mean square; κ keeps X close to the photograph X₀",
    lessons=DEEP_DREAM,
)

controls, picture = stage()
with controls:
    choice, lens = pick_network(f"{KEY}.network", deep_dream.NETWORK)
    if choice in {info.name for info in loading.checkpoints("Classifies")}:
        st.caption(deep_dream.can_dream(lens))
    layer = deep_dream.pick_layer(choice, lens)
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
            st.caption("Until you give a picture, the temple is shown.")
    longest = st.select_slider(
        "Longer side (pixels)",
        deep_dream.SIDES,
        deep_dream.SIDE,
        key=f"{KEY}.side",
        bind="query-params",
        help="Time per step grows with its square.",
    )
    try:
        data = given.getvalue() if given is not None else sample(PICTURES_OF[name])
        image = decode(
            data, int(longest), lens.network.shape[0] == 1, deep_dream.smallest_picture(lens)
        )
    except PictureError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        st.stop()
    height, width = image.shape[2:]
    most = octaves_that_differ((height, width), lens.smallest(layer.name), 6)
    octaves = ascent.pick_octaves(KEY, most, deep_dream.OCTAVES, "the same feature then appears")
    knobs = st.container()
    whole = st.toggle(
        "Whole layer",
        True,
        key=f"{KEY}.whole",
        bind="query-params",
        help="Off: the mean of one channel is maximised instead.",
    )
    channel = st.number_input(
        "Channel",
        0,
        layer.channels - 1,
        0,
        key=f"{KEY}.channel",
        bind="query-params",
        disabled=whole,
        help="The whole layer is maximised: switch that off to pick a channel."
        if whole
        else f"One of the layer's {layer.channels} feature maps.",
    )
    defaults = replace(
        KNOBS,
        objective="layer activation" if whole else "channel",
        layer=layer.name,
        channel=-1 if whole else min(int(channel or 0), layer.channels - 1),
        octaves=octaves,
    )
    weights_panel(KEY)

live = ascent.session_live(
    KEY, {choice: lens}, lambda: ascent.begin([lens], image, [0], defaults, deep_dream.REST_EVERY)
)
if not torch.equal(live.original, image):
    live.reset(image)
with knobs:
    ascent.turn_knobs(KEY, live, defaults, int(longest))
ascent.climb_as_linked(KEY, live, image)

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
with how_to_read():
    st.markdown(
        "The gradient at the layer is set to the layer's own activation, and the picture climbs. "
        "Nothing is added that the layer did not already respond to a little: each step makes the "
        "strongest responses stronger still. What appears is what this layer has learned to look "
        "for. The ascent pauses every 60 steps; press Continue to go on. Drag the handle over the "
        "picture, or the slider below it, to uncover the original."
    )
