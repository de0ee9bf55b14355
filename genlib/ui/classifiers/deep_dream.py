"""What the DeepDream page begins with, for the page and for the facts of its lessons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st
from torch import Tensor

from genlib.data.pictures.photographs import decode, sample
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens
from genlib.explore.ascent.surgery import Layer
from genlib.ui.kit.plain import plain

KEY = "deep_dream"
NETWORK, PICTURE, SIDE, OCTAVES = "classifier-cifar", "china", 320, 5
SIDES = (96, 160, 224, 320, 448)
REST_EVERY = 60  # steps; after about twice as many, little of the photograph is left
# The layer to open with, chosen by looking at every layer; else the one at two thirds.
LAYERS = {"classifier-cifar": "layers.4.down", "classifier-cifar-robust": "layers.4"}
# Our own classifiers keep their modules in a row, `layers`: what each kind is called, ...
KINDS = {
    "Whiten": "whitening",
    "GELU": "whitening, after GELU",
    "ReLU": "convolution {n}, after ReLU",
    "MaxPool2d": "convolution {n}, after pooling",
    "Group": "block {n}",
}
# ... and the parts of a block.
PARTS = {
    "down.0": "convolution",
    "down.1": "after pooling",
    "down.2": "after the norm",
    "down": "after the downsampling",
    "more": "what it adds",
}
KNOBS = Knobs("layer activation", lr=0.02, keep=1.0, jitter=8, normalise=True)


def first_layer(choice: str, lens: Lens) -> int:
    """The index of the layer that a network opens with."""
    names = [layer.name for layer in lens.layers]
    return names.index(LAYERS[choice]) if LAYERS.get(choice) in names else 2 * len(names) // 3


def in_words(layers: Sequence[Layer]) -> dict[str, str]:
    """What to call each layer, by its name in the code; torchvision's keep the names they have."""
    words: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for layer in layers:
        row, _, _ = layer.name.removeprefix("layers.").partition(".")
        if layer.name == f"layers.{row}" and layer.kind in KINDS:
            seen[layer.kind] += 1
            words[layer.name] = KINDS[layer.kind].format(n=seen[layer.kind])
    for layer in layers:
        row, _, part = layer.name.removeprefix("layers.").partition(".")
        if part in PARTS and f"layers.{row}" in words:
            words[layer.name] = f"{words[f'layers.{row}']}, {PARTS[part]}"
    return {layer.name: words.get(layer.name, layer.name) for layer in layers}


def pick_layer(choice: str, lens: Lens) -> Layer:
    """Let the person pick a layer. The link holds its name in the code, whatever it is called."""
    key = f"{KEY}.layer"
    by_name = {layer.name: layer for layer in lens.layers}
    first = lens.layers[first_layer(choice, lens)].name
    linked = st.query_params.get(key, first)
    st.session_state[key] = linked if linked in by_name else first

    def link() -> None:
        st.query_params[key] = st.session_state[key]

    chosen = st.selectbox(
        "Layer",
        list(by_name),
        format_func=in_words(lens.layers).__getitem__,
        key=key,
        on_change=link,
        help="In the order of computation. Early layers see edges and textures, late ones parts.",
    )
    layer = by_name[chosen or first]
    place = list(by_name).index(layer.name) + 1
    st.caption(f"Layer {place} of {len(by_name)}, {layer.channels} channels: `{layer.name}`")
    return layer


def photograph(name: str, side: int, lens: Lens) -> Tensor:
    """One of the photographs that come with genlib, as a network wants it: (1, C, H, W)."""
    return decode(sample(name), side, lens.network.shape[0] == 1, smallest_picture(lens))


def smallest_picture(lens: Lens) -> int:
    """The shortest side of a picture whose every layer this network can compute."""
    return lens.smallest(lens.layers[-1].name)


def can_dream(lens: Lens) -> str:
    """What to expect of a network of ours, and what not: one sentence each."""
    channels, height, width = lens.network.shape
    if channels == 1:
        return (
            f"This network only knows handwritten digits of {height}×{width} pixels. It makes "
            "strokes and edges bolder, in grey. For a dog's face, choose classifier-cifar."
        )
    names = ", ".join(plain(name) for name in lens.network.classes)
    return (
        f"This network only knows small pictures of {height}×{width} pixels: {names}. Expect "
        "parts of these, such as a dog's face. It can't dream of anything else; for a thousand "
        "classes and finer detail, get ImageNet weights below."
    )
