"""One pair of digits merged at every alpha, as several models see it; all of it in the browser.

Python sends the merges, the reconstructions and the numbers for every alpha once; the slider then
only chooses a frame, so that a drag costs the server nothing and moves at the screen's own rate.
The alpha at which the slider comes to rest is sent back and written into the link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from genlib.ui.components.live_slider import hold
from genlib.ui.components.packet import as_text
from genlib.ui.kit.web import component, keep, said

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Histogram:
    """Counts of energies in equal bins from `low` to `high`; the last bin holds all above."""

    low: float
    high: float
    real: list[int]
    merged: list[int]


@dataclass(frozen=True)
class Card:
    """One model's part: T frames of everything."""

    title: str
    colour: str  # of its curves in the page's charts, "" for none
    text: str  # one line under the title
    unit: str  # of the energy
    x_hat: Bytes  # (T, C, H, W)
    energy: list[float]  # (T,)
    verdict: list[str]  # (T,)
    mood: list[str]  # (T,) "pass", "doubt" or "caught"
    histogram: Histogram
    band: tuple[float, float, float]  # 5th, 50th and 95th percentile of real digits


def merged_digits(
    key: str,
    merges: Bytes,
    alpha: Sequence[float],
    cards: Sequence[Card],
    *,
    names: tuple[str, str],
    merged_name: str,
    help: str = "",
    fixed: str = "",
) -> float:
    """Show the merges (T, C, H, W) uint8 with a slider over alpha; return where it rests.

    `names` are shown at the slider's ends; `merged_name` names the second histogram. `fixed` is the
    reason why there is nothing to slide ("" = there is). The position is linked as the query
    parameter `key`. Raises ValueError for cards of another length.
    """
    for card in cards:
        if len(card.energy) != len(merges):
            raise ValueError(f"{card.title}: {len(card.energy)} frames, merges have {len(merges)}")
    held = hold(key, said(key, "value"), 0.0, 1.0, 0.5)
    data = {
        "shape": list(merges.shape[1:]),
        "merges": as_text(merges),
        "alpha": [round(a, 6) for a in alpha],
        "cards": [{**asdict(card), "x_hat": as_text(card.x_hat)} for card in cards],
        "names": list(names),
        "merged_name": merged_name,
        "help": help,
        "fixed": fixed,
        "value": held.x,
        "seq": held.seq,
    }
    component("merged_digits")(key=key, data=data, on_value_change=keep)
    return held.x
