"""What an ascent has shown so far: a bounded film of frames to go back to, and its curves.

When full, every second frame (or point) is dropped and the spacing doubles, so that the whole run
from the first step stays in view in bounded memory. The more films there are, the earlier each is
full.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from genlib.explore.ascent.climb import AscentFrame

MAX_BYTES = 64_000_000  # of one film
ALL_BYTES = 64_000_000  # what the films of all sessions share
MAX_FRAMES, MIN_FRAMES = 64, 8
MAX_POINTS = 240


@dataclass(frozen=True)
class Kept:
    """A frame of the film. image: float32 (B, C, H, W), exactly as it was."""

    step: int
    classes: tuple[int, ...]
    image: Tensor


class Film:
    """Frames in order; ``position`` is the one shown, the last unless somebody went back."""

    def __init__(self) -> None:
        self.frames: list[Kept] = []
        self.position = -1
        self.version = 0  # changes with the frames, so that a page knows when to draw again
        self._spacing = 1
        _films.add(self)

    def add(self, step: int, classes: Sequence[int], image: Tensor, force: bool = False) -> None:
        """Keep a frame if enough steps have passed since the last (or ``force``)."""
        if self.frames:
            last = self.frames[self.position]
            if step == last.step or (not force and step - last.step < self._spacing):
                return
        del self.frames[self.position + 1 :]
        self.frames.append(Kept(step, tuple(classes), image.detach().cpu().clone()))
        while len(self.frames) > self._most():
            # The first and the newest stay: dropped are those in between, from the second on.
            newest = self.frames.pop()
            self.frames = [*self.frames[::2], newest]
            self._spacing *= 2
        self.position = len(self.frames) - 1
        self.version += 1

    def _most(self) -> int:
        """How many frames of the newest one's size this film may keep now."""
        share = min(MAX_BYTES, ALL_BYTES // max(1, len(_films)))
        size = self.frames[-1].image.numel() * 4
        return max(MIN_FRAMES, min(MAX_FRAMES, share // size))

    def go_to(self, index: int) -> Kept:
        """Make an earlier (or later) frame the one shown."""
        self.position = index
        self.version += 1
        return self.frames[index]


_films: WeakSet[Film] = WeakSet()


class Curves:
    """Objective, probability and gradient norm over the steps, per class."""

    def __init__(self) -> None:
        self.points: list[tuple[int, tuple[int, ...], NDArray[np.float32]]] = []
        self._spacing = 1

    def add(self, classes: Sequence[int], frame: AscentFrame) -> None:
        """Keep what was measured on a frame."""
        values = np.stack([frame.value.cpu(), frame.probability.cpu(), frame.grad_norm.cpu()])
        point = (frame.step, tuple(classes), values.astype(np.float32))
        if self.points and frame.step <= self.points[-1][0]:
            self.points[-1] = point
            return
        if len(self.points) > 1 and frame.step - self.points[-2][0] < self._spacing:
            self.points[-1] = point  # the last point moves along until it is far enough
            return
        self.points.append(point)
        if len(self.points) > MAX_POINTS:
            self.points = [*self.points[:-1:2], self.points[-1]]
            self._spacing = 2 * max(self._spacing, self.points[1][0] - self.points[0][0] >> 1, 1)

    def cut(self, step: int) -> None:
        """Forget what came after a step."""
        self.points = [p for p in self.points if p[0] <= step] or self.points[:1]

    def table(self) -> tuple[list[int], NDArray[np.int32], NDArray[np.float32]]:
        """Classes (K,), steps (T,) and values (3, K, T) with NaN where a class was no target."""
        points = list(self.points)
        classes = sorted({c for _, cs, _ in points for c in cs})
        column = {c: k for k, c in enumerate(classes)}
        table = np.full((3, len(classes), len(points)), np.nan, np.float32)
        for t, (_, members, values) in enumerate(points):
            for b, c in enumerate(members):
                table[:, column[c], t] = values[:, b]
        return classes, np.array([p[0] for p in points], np.int32), table


def gif(frames: Sequence[NDArray[np.uint8]], milliseconds: int = 80, zoom: int = 1) -> bytes:
    """An animated GIF that repeats: frames (H, W, C), enlarged without smoothing."""
    pictures = [_picture(frame, zoom) for frame in frames]
    out = io.BytesIO()
    last = [10 * milliseconds]  # the result stays a while before the film begins again
    pictures[0].save(
        out,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[milliseconds] * (len(pictures) - 1) + last,
        loop=0,
    )
    return out.getvalue()


def png(image: NDArray[np.uint8], zoom: int = 1, level: int = 6) -> bytes:
    """A PNG of (H, W, C), enlarged without smoothing; ``level`` 0 to 9 of compression."""
    out = io.BytesIO()
    _picture(image, zoom).save(out, format="PNG", compress_level=level)
    return out.getvalue()


def _picture(image: NDArray[np.uint8], zoom: int):  # type: ignore[no-untyped-def]
    from PIL import Image

    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)
