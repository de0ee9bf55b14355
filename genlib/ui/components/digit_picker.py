"""Pick a digit: from the test set by class and number, at random, or drawn by hand.

The choice lives in the link: a widget's key is its query parameter.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.ui.components.draw import draw
from genlib.ui.kit import images, loading
from genlib.ui.kit.pickers import choose
from genlib.ui.kit.plain import note_of

if TYPE_CHECKING:
    import torch

    from genlib.data.datasets import Dataset

DRAWN = (1, 28, 28)  # the shape of a drawing


@dataclass(frozen=True)
class Digit:
    """A chosen image: float32 (C, H, W) in [0, 1]; drawn ones have neither label nor index.

    stand_in: a test image is here because nothing has been drawn yet.
    """

    image: torch.Tensor
    label: int | None
    index: int | None  # in the test set
    stand_in: bool = False


def _roll(key: str, count: int) -> None:
    st.session_state[f"{key}.nth"] = random.randrange(count)


def pick_digit(
    key: str,
    label: str = "Digit",
    where: DeltaGenerator | None = None,
    *,
    data: Dataset | None = None,
    default_class: int = 3,
    default_nth: int = 0,
    waits: bool = False,
) -> Digit:
    """Pick an image from the test set by class and number, at random, or draw one.

    It has the shape of ``data``: where a drawing would have another, none is offered.

    waits: the page shows nothing of the image that stands in for one not drawn yet.
    """
    with where or st.container():
        data = data or loading.dataset()
        if data.note:
            st.caption(f":material/info: {note_of(data)}")
        ways = {"test": "Test set", "draw": "Draw"}
        can_draw = data.shape == DRAWN
        way = choose(
            label,
            ways if can_draw else {"test": ways["test"]},
            f"{key}.from",
            "Take a digit of the test set, or draw one with mouse, pen or finger."
            if can_draw
            else "Drawings are grey and have 28×28 pixels. These images are different, so choose "
            "one of the test set.",
            disabled=not can_draw,
        )
        if way == "draw":
            drawn = _drawn(key, label)
            if drawn is not None:
                return drawn
            if not waits:
                st.caption("Draw something above. Until then, a test digit is used.")
            return replace(_nth(data, default_class, default_nth), stand_in=True)
        return _from_test_set(key, data, default_class, default_nth)


def _drawn(key: str, label: str) -> Digit | None:
    import torch

    ink = draw(f"{key}.draw", label=f"Draw: {label.lower()}")
    return None if ink is None else Digit(torch.from_numpy(ink.copy())[None], None, None)


def _from_test_set(key: str, data: Dataset, default_class: int, default_nth: int) -> Digit:
    present = sorted({int(c) for c in data.test_y.unique()})
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    cls = left.selectbox(
        "Class",
        present,
        index=present.index(default_class) if default_class in present else 0,
        format_func=lambda c: data.classes[c],
        key=f"{key}.class",
        bind="query-params",
    )
    cls = present[0] if cls is None else cls
    count = int((data.test_y == cls).sum())
    if st.session_state.get(f"{key}.nth", 0) >= count:
        st.session_state[f"{key}.nth"] = count - 1
    nth = middle.number_input(
        "Number",
        0,
        count - 1,
        min(default_nth, count - 1),
        1,
        key=f"{key}.nth",
        bind="query-params",
        help=f"Which of the {count} test images of this class.",
    )
    right.button(
        "",
        icon=":material/casino:",
        key=f"{key}.roll",
        help="A random one",
        on_click=_roll,
        args=(key, count),
        width="stretch",
    )
    digit = _nth(data, cls, int(nth or 0))
    images.picture(digit.image, width=96)
    return digit


def _nth(data: Dataset, cls: int, nth: int) -> Digit:
    from genlib.data.datasets import to_float

    indices = (data.test_y == cls).nonzero().flatten()
    if not len(indices):
        indices = (data.test_y >= 0).nonzero().flatten()
    index = int(indices[min(nth, len(indices) - 1)])
    return Digit(to_float(data.test_x[index]), int(data.test_y[index]), index)
