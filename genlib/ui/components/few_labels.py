"""The map of digits without colours: a click labels one, the classifier's guesses colour the rest.

The pictures are in the page's store (decoder_store.store), as for the latent map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlib.explore.few_labels import Features
from genlib.ui.components.packet import Part, levels, pack
from genlib.ui.kit.web import component, keep

NONE = 255  # the guess without any label
MOST_NUMBERS = 64  # in a code that travels: 10,000 of them are then 2.6 MB


@dataclass(frozen=True)
class LabelMap:
    """What the map shows.

    positions (n, 2); numbers int32 (n,): which test image each is; truth (n,) true classes;
    guesses (n,) classes, or None before the first label; sure (n,) probabilities in [0, 1];
    space: changes when positions mean something else; pictures: a name in the store; material:
    another, of what the browser learns from by itself by ``classifier``, "" for nothing.
    """

    positions: NDArray[np.float32]
    numbers: NDArray[np.int32]
    truth: NDArray[np.int64]
    guesses: NDArray[np.int64] | None
    sure: NDArray[np.float32]
    classes: Sequence[str]
    space: str
    pictures: str
    material: str = ""
    classifier: str = ""


def material_message(
    name: str, x: Features, truth: NDArray[np.int64], *, codes: bool = True
) -> bytes:
    """What the browser learns from by itself, for the page's store under ``name``.

    The graph of label spreading and the neighbours of the test pictures, whose true classes are
    ``truth`` (m,). codes: also those, where they are short, for the nearest labelled picture.
    """
    n, d = x.pool.shape
    short = d if codes and d <= MOST_NUMBERS else 0
    header = {"name": name, "n": n, "m": len(truth), "near": x.around_test.shape[1], "d": short}
    parts: dict[str, Part] = {
        "starts": x.graph.indptr.astype(np.int32),
        "ends": x.graph.indices.astype(np.int32),
        "flows": x.graph.data.astype(np.float32),
        "around": x.around_test.astype(np.int32),
        "truth": truth.astype(np.uint8),
    }
    if short:
        parts |= {"pool": x.pool.astype(np.float32), "test": x.test.astype(np.float32)}
    return pack(header, parts)


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
    data = packet(field, given, revision, score, suggested, why, oracle)
    component("few_labels")(key=key, data=data, on_labels_change=keep, height="content")


def packet(
    field: LabelMap,
    given: Sequence[tuple[int, int]],
    revision: int,
    score: str,
    suggested: int,
    why: str,
    oracle: bool,
    *,
    alone: bool = False,
) -> bytes:
    """What the browser gets. alone: without a server behind it; it learns by itself."""
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
        "material": field.material,
        "classifier": field.classifier,
        "alone": alone,
    }
    return pack(header, {**_points(field), "given": np.array(given, np.int32).reshape(-1)})


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
