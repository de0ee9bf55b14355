"""Several networks under one ascent: the same start, the same knobs, the same random moves.

Each network has an ``Ascent`` of its own, seeded alike; a step of the team is a step of each. Its
pictures are those of the first network, then those of the second, and so on; class c of network k
is number ``k * K + c`` of K classes, so that film and curves keep them apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genlib.explore.ascent.climb import Ascent, AscentFrame
from genlib.explore.ascent.knobs import Knobs


class Team:
    """Ascents that go together. All have pictures of one shape and the same number of classes."""

    def __init__(self, ascents: Sequence[Ascent]) -> None:
        """Raises ValueError for networks whose pictures or classes can't stand side by side."""
        self.members = tuple(ascents)
        kinds = {(a.lens.network.shape, len(a.names)) for a in self.members}
        if len(kinds) != 1:
            raise ValueError(f"ascents must have pictures and classes of one kind, got {kinds}")
        self.knobs: Knobs = self.members[0].knobs
        self._many = len(self.members[0].names)

    @property
    def groups(self) -> tuple[str, ...]:
        """The networks' titles."""
        return tuple(a.lens.network.title for a in self.members)

    @property
    def names(self) -> tuple[str, ...]:
        """What the classes are called: K names for each network."""
        return tuple(name for a in self.members for name in a.names)

    @property
    def image(self) -> Tensor:
        """The pictures now: (B, C, H, W), network after network."""
        return torch.cat([a.image for a in self.members])

    @property
    def classes(self) -> Tensor:
        """The classes wanted, (B,)."""
        return torch.cat([a.classes + k * self._many for k, a in enumerate(self.members)])

    @property
    def step(self) -> int:
        """Steps made so far."""
        return self.members[0].step

    @step.setter
    def step(self, step: int) -> None:
        for a in self.members:
            a.step = step

    def retarget(self, classes: Sequence[int]) -> None:
        """Aim at other classes without losing the pictures; see ``Ascent.retarget``."""
        for k, a in enumerate(self.members):
            a.retarget([c % self._many for c in classes if c // self._many == k])

    def begin(self, image: Tensor) -> None:
        """Start at step 0 from these pictures, to which ``keep`` pulls."""
        for a, part in zip(self.members, self._parts(image), strict=True):
            a.begin(part)

    def put(self, image: Tensor) -> None:
        """Go on from these pictures: (B, C, H, W) in [0, 1]."""
        for a, part in zip(self.members, self._parts(image), strict=True):
            a.put(part)

    def advance(self) -> None:
        """Make one step with every network. Raises AscentError where one can't."""
        for a in self._told():
            a.advance()

    def frame(self) -> AscentFrame:
        """The pictures now, each measured by its own network."""
        frames = [a.frame() for a in self._told()]
        return AscentFrame(
            frames[0].step,
            torch.cat([f.image for f in frames]),
            torch.cat([f.value for f in frames]),
            torch.cat([f.probability for f in frames]),
            torch.cat([f.grad_norm for f in frames]),
        )

    def _parts(self, image: Tensor) -> Sequence[Tensor]:
        return image.split([len(a.classes) for a in self.members])

    def _told(self) -> tuple[Ascent, ...]:
        """The members, with the knobs of now: one object for all, even if they change meanwhile."""
        knobs = self.knobs
        for a in self.members:
            a.knobs = knobs
        return self.members
