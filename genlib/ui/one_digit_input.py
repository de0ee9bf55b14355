"""The digit that goes into every model: picked or drawn, then changed; the link holds it all."""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from genlib.datasets import Dataset, to_float
from genlib.explore.changes import CHANGES
from genlib.ui import images, pickers
from genlib.ui.components.live_slider import live_slider

INK = "one_digit.ink"
AS_IT_IS = "As it is"
NAMES = {  # on screen and in the link -> name in CHANGES
    "Merge": "merge",
    "Turn": "turn",
    "Shift": "shift",
    "Invert": "invert",
    "Noise": "noise",
    "Shuffle": "shuffle",
}


def to_link(image: Tensor) -> str:
    """An image (1, 28, 28) as text of some hundred characters, in 16 grey levels."""
    levels = (image.flatten().numpy() * 15).round().astype(np.uint8)
    packed = zlib.compress((levels[::2] << 4 | levels[1::2]).tobytes(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def from_link(text: str) -> Tensor | None:
    """The image (1, 28, 28) that such a text holds; None for any other text."""
    if not 0 < len(text) <= 1200:
        return None
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        raw = zlib.decompressobj().decompress(packed, 393)
    except (binascii.Error, ValueError, zlib.error):
        return None
    if len(raw) != 392:
        return None
    pairs = np.frombuffer(raw, np.uint8)
    levels = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(1, 28, 28)
    return torch.from_numpy(levels.astype(np.float32) / 15)


def pick(digits: Dataset, choice: DeltaGenerator) -> Tensor:
    """The digit that goes in, (C, H, W) in [0, 1], as it is picked, drawn and changed.

    choice: where the kind of change is chosen.
    """
    linked = from_link(st.query_params.get(INK, ""))
    if linked is not None and tuple(linked.shape) == digits.shape:
        x = linked
        with st.container(horizontal=True, vertical_alignment="center"):
            images.picture(x, "from the link", width=96)
            st.button("Put it away", key="one_digit.away", on_click=_forget,
                      help="Take the drawing out of the link and pick another digit.")  # fmt: skip
    else:
        picked = pickers.pick_digit("one_digit", data=digits, default_class=4, default_nth=3)
        x = picked.image
        if picked.index is None:
            st.button("Put this drawing into the link", icon=":material/link:",
                      key="one_digit.keep", on_click=_keep, args=(to_link(x),),
                      help="The address then holds the drawing itself.")  # fmt: skip
    return _change(x, digits, choice)


def _keep(text: str) -> None:
    st.query_params[INK] = text


def _forget() -> None:
    st.query_params.pop(INK, None)


def _change(x: Tensor, digits: Dataset, choice: DeltaGenerator) -> Tensor:
    chosen = choice.segmented_control(
        "What is done to it", [AS_IT_IS, *NAMES], default=AS_IT_IS, required=True,
        key="one_digit.change", bind="query-params",
        help="What is done to the digit before the models see it: who notices?",
    )  # fmt: skip
    name = NAMES.get(str(chosen))
    if name is None:
        return x
    change = CHANGES[name]
    other = _other(digits) if name == "merge" else x
    amount = live_slider(
        f"one_digit.{name}", f"{chosen}: {change.amount}", change.low, change.high, change.start,
        change.step,
    )  # fmt: skip
    changed = change.apply(x[None], amount, other)[0]
    images.picture(changed, "what the models see", width=96)
    return changed


def _other(digits: Dataset) -> Tensor:
    present = sorted({int(c) for c in digits.test_y.unique()})
    cls = st.selectbox(
        "With", present, index=min(8, len(present) - 1), format_func=lambda c: digits.classes[c],
        key="one_digit.with", bind="query-params", help="Class of the digit that is merged in.",
    )  # fmt: skip
    row = int((digits.test_y == (present[0] if cls is None else cls)).nonzero()[0])
    return to_float(digits.test_x[row])
