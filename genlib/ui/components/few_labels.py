"""The map of digits without colours: a click labels one, the classifier's guesses colour the rest.

The pictures are in the page's store (decoder_store.store), as for the latent map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlib.ui.components.packet import Part, levels, pack
from genlib.ui.kit.web import component, keep

NONE = 255  # the guess without any label


@dataclass(frozen=True)
class LabelMap:
    """What the map shows.

    positions (n, 2); numbers int32 (n,): which test image each is; truth (n,) true classes;
    guesses (n,) classes, or None before the first label; sure (n,) probabilities in [0, 1];
    space: changes when positions mean something else; pictures: a name in the store.
    """

    positions: NDArray[np.float32]
    numbers: NDArray[np.int32]
    truth: NDArray[np.int64]
    guesses: NDArray[np.int64] | None
    sure: NDArray[np.float32]
    classes: Sequence[str]
    space: str
    pictures: str


def few_labels(
    key: str,
    field: LabelMap,
    *,
    given: Sequence[tuple[int, int]],
    revision: int,
    score: str,
    suggested: int = -1,
    why: str = "",
    oracle: bool = False,
) -> None:
    """Draw the map; ``web.said(key, "labels")`` is {revision, items: [[number, class], ...]}.

    given: labels as (row, class), which the browser takes over where ``revision`` is another than
    its own. score: the line above the map, for these labels. suggested, why: the row to label next
    and the reason. oracle: a click gives the true class at once, without asking.
    """
    header: dict[str, object] = {
        "classes": list(field.classes),
        "space": field.space,
        "pictures": field.pictures,
        "revision": revision,
        "answered": len(given),
        "score": score,
        "suggested": suggested,
        "why": why,
        "oracle": oracle,
    }
    labels = np.array(given, np.int32).reshape(-1)
    data = pack(header, {**_points(field), "given": labels})
    component("few_labels")(key=key, data=data, on_labels_change=keep, height="content")


def _points(field: LabelMap) -> dict[str, Part]:
    """The arrays of the packet that hold one entry a point."""
    guesses = np.full(len(field.numbers), NONE) if field.guesses is None else field.guesses
    return {
        "positions": field.positions.astype(np.float32),
        "numbers": field.numbers.astype(np.int32),
        "truth": field.truth.astype(np.uint8),
        "guesses": guesses.astype(np.uint8),
        "sure": levels(field.sure),
    }
