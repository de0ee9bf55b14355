"""What the Class images page begins with, for the page and for the facts of its lessons."""

from __future__ import annotations

from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Network

KEY = "class_images"
CLASS = 3  # a 3, or a cat
FEW = 12  # classes that fit on a screen together
# As in the lecture: the score, its gradient and L2, without anything that would help a network to
# draw. Chosen by looking at all classes of the shipped networks.
DIGITS = Knobs(lr=0.02, l2=0.5, normalise=True)
COLOUR = Knobs(lr=0.02, l2=0.1, normalise=True, parameterisation="fourier")
LARGE = Knobs(lr=0.02, l2=0.05, jitter=16, blur_every=8, normalise=True)


def begins_with(network: Network) -> tuple[str, Knobs]:
    """Where the link keeps the knobs of a network of this kind, and their first values."""
    if len(network.classes) > FEW:
        return f"{KEY}.large", LARGE
    return (KEY, DIGITS) if network.shape[0] == 1 else (f"{KEY}.colour", COLOUR)
