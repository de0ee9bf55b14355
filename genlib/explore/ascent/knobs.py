"""All that may change while an ascent runs, with its limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from genlib.explore.ascent.objectives import OBJECTIVES
from genlib.explore.ascent.parameterisations import PARAMETERISATIONS

LIMITS: dict[str, tuple[float, float]] = {
    "lr": (0.0, 1e6),
    "l2": (0.0, 1e3),
    "keep": (0.0, 1e3),
    "jitter": (0, 128),
    "scale": (0.0, 0.5),
    "rotate": (0.0, 180.0),
    "blur_every": (0, 1000),
    "blur_sigma": (0.0, 10.0),
    "octaves": (1, 8),
    "octave_scale": (1.1, 3.0),
    "octave_steps": (1, 100),
}


def _share(percent: float) -> float:
    return percent / 100


# Knobs that may move under the hand, and how to read what it sends: none changes what is measured.
TURNED: dict[str, Callable[[float], float]] = {
    "lr": float,
    "l2": float,
    "keep": float,
    "jitter": round,
    "blur_every": round,
    "blur_sigma": float,
    "scale": _share,
    "rotate": float,
}


@dataclass
class Knobs:
    """All that may change while an ascent runs. Amounts of 0 switch a thing off.

    lr: step length; l2: pull towards the lens's base colour; keep: pull towards the picture that
    the ascent began with; jitter: pixels; scale: share of the size; rotate: degrees; blur_every:
    steps, with standard deviation blur_sigma pixels; clip: keep pixels in [0, 1];
    normalise: divide the gradient by its root mean square, so that lr is the typical change of a
    pixel in a step.
    """

    objective: str = "class score"
    layer: str = ""
    channel: int = -1
    parameterisation: str = "pixels"
    lr: float = 0.05
    l2: float = 0.0
    keep: float = 0.0
    jitter: int = 0
    scale: float = 0.0
    rotate: float = 0.0
    blur_every: int = 0
    blur_sigma: float = 0.5
    clip: bool = True
    normalise: bool = False
    octaves: int = 1
    octave_scale: float = 1.4
    octave_steps: int = 10

    def check(self) -> None:
        """Raise ValueError naming the knob that is out of range."""
        for name, table in (("objective", OBJECTIVES), ("parameterisation", PARAMETERISATIONS)):
            if (value := getattr(self, name)) not in table:
                raise ValueError(f"{name} must be one of {', '.join(table)}, got {value!r}")
        for name, (low, high) in LIMITS.items():
            if not low <= (value := getattr(self, name)) <= high:
                raise ValueError(f"{name} must be between {low} and {high}, got {value}")


def turned(knobs: Knobs, amounts: Mapping[str, float]) -> Knobs:
    """The knobs with some of those in TURNED moved; scale in percent.

    Raises ValueError for another knob, and for an amount that is not finite or out of range.
    """
    if foreign := amounts.keys() - TURNED.keys():
        raise ValueError(f"knobs must be among {', '.join(TURNED)}, got {sorted(foreign)}")
    if not all(map(math.isfinite, amounts.values())):
        raise ValueError(f"knobs must be finite numbers, got {dict(amounts)}")
    moved = replace(knobs, **{name: TURNED[name](amount) for name, amount in amounts.items()})  # type: ignore[arg-type]
    moved.check()
    return moved


def octaves_that_differ(full: tuple[int, int], smallest: int, most: int) -> int:
    """How many octaves, at most ``most``, show the picture in sizes that a network can take.

    1 where the network takes no picture smaller than ``full`` (H, W).
    """
    every = [octave_size(Knobs(octaves=n), 0, full, smallest) for n in range(1, most + 1)]
    return len(set(every))


def octave_size(knobs: Knobs, step: int, full: tuple[int, int], smallest: int) -> tuple[int, int]:
    """The picture's (H, W) at this step: small to large in turn, ``octave_steps`` steps each."""
    level = knobs.octaves - 1 - (step // knobs.octave_steps) % knobs.octaves
    shrink = min(knobs.octave_scale**level, max(1.0, min(full) / smallest))
    return round(full[0] / shrink), round(full[1] / shrink)
