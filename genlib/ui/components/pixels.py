"""Images that appear pixel by pixel, with what was predicted for each pixel; all in the browser.

Python draws the images, which takes a moment, and sends them with all predictions once. Replay,
scrubbing and the number under the mouse then cost no traffic. Where the mouse rests on a pixel,
its place is sent back, and the page answers with the receptive field there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlib.ui.components.packet import Part, pack
from genlib.ui.kit.web import component, keep, said

VIEWS = ("image", "p", "nats")


@dataclass(frozen=True)
class Place:
    """A pixel of one of the images."""

    sample: int
    row: int
    column: int


@dataclass(frozen=True)
class Lit:
    """A receptive field to show: of which pixel, uint8 pull (H, W), and what can matter at all."""

    place: Place
    pull: NDArray[np.uint8]
    seen: NDArray[np.bool_]


@dataclass(frozen=True)
class Sheet:
    """Images and predictions: images uint8 (n, H, W) of 0 and 1; logits float32 (n, H, W).

    known: how many pixels were given; name: changes with the images, so that the replay
    restarts; replay: whether there is one; view: which of ``VIEWS`` is shown first.
    """

    images: NDArray[np.uint8]
    logits: NDArray[np.float32]
    name: str
    known: int = 0
    temperature: float = 1.0
    replay: bool = True
    view: str = "image"


def asked_place(key: str, sheet: Sheet) -> Place | None:
    """The pixel on which the mouse rests; None for none and for anything malformed."""
    sent = said(key, "rest")
    if not isinstance(sent, Mapping) or sent.get("name") != sheet.name:
        return None
    numbers = [sent.get(part) for part in ("sample", "row", "column")]
    for number, limit in zip(numbers, sheet.images.shape, strict=True):
        if not isinstance(number, int) or not 0 <= number < limit:
            return None
    return Place(*(int(number) for number in numbers if isinstance(number, int)))


def pixels(key: str, sheet: Sheet, lit: Lit | None = None) -> None:
    """Show the sheet; call it inside a fragment, which reruns where the mouse rests."""
    if sheet.view not in VIEWS:
        raise ValueError(f"view must be one of {', '.join(VIEWS)}, got {sheet.view}")
    values: dict[str, object] = {
        "shape": list(sheet.images.shape),
        "name": sheet.name,
        "known": sheet.known,
        "temperature": sheet.temperature,
        "replay": sheet.replay,
        "view": sheet.view,
        "lit": [lit.place.sample, lit.place.row, lit.place.column] if lit else None,
    }
    parts: dict[str, Part] = {"images": sheet.images, "logits": sheet.logits}
    if lit:
        parts |= {"pull": lit.pull, "seen": lit.seen.astype(np.uint8)}
    component("pixels")(key=key, data=pack(values, parts), on_rest_change=keep)
