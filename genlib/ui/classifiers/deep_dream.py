"""What the DeepDream page begins with, for the page and for the facts of its lessons."""

from __future__ import annotations

from torch import Tensor

from genlib.data.pictures.photographs import decode, sample
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens
from genlib.ui.kit.plain import plain

KEY = "deep_dream"
NETWORK, PICTURE, SIDE, OCTAVES = "classifier-cifar", "china", 320, 5
SIDES = (96, 160, 224, 320, 448)
REST_EVERY = 60  # steps; after about twice as many, little of the photograph is left
# The layer to open with, chosen by looking at every layer; else the one at two thirds.
LAYERS = {"classifier-cifar": "layers.4.down", "classifier-cifar-robust": "layers.4"}
KNOBS = Knobs("layer activation", lr=0.02, keep=1.0, jitter=8, normalise=True)


def first_layer(choice: str, lens: Lens) -> int:
    """The index of the layer that a network opens with."""
    names = [layer.name for layer in lens.layers]
    return names.index(LAYERS[choice]) if LAYERS.get(choice) in names else 2 * len(names) // 3


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
