"""A small network to climb, and a climb, for the tests of gradient ascent."""

from __future__ import annotations

import torch

from genlib.explore.ascent.climb import Ascent, noise
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens
from tests.helpers import rng

CPU = torch.device("cpu")
TEN = tuple("0123456789")


def climb(lens: Lens, knobs: Knobs, steps: int, classes: tuple[int, ...] = (3,)) -> Ascent:
    image = noise((len(classes), *lens.network.shape), lens.mean, rng())
    ascent = Ascent(lens, image, classes, knobs, rng(1))
    for _ in range(steps):
        ascent.advance()
    return ascent
