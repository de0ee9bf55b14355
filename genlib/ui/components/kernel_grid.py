"""All kernels of a layer on one canvas: a magnifier under the mouse, a click chooses one.

Pixels travel once, as bytes; the grid lays itself out to the width it is given, each weight a
whole number of screen pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlib.ui.components.packet import pack
from genlib.ui.components.web import component


def kernel_grid(
    key: str,
    levels: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    units: Sequence[int],
    notes: Sequence[str],
    marked: Sequence[bool],
    selected: int | None = None,
    on_pick: Callable[[int], None] | None = None,
    height: int = 430,
) -> None:
    """Show n kernels, in the order given.

    levels: (n, H, W), places in ``palette`` (256, 3); units: the n unit numbers; notes: a line
    shown beside the magnifier; marked: framed in amber; selected: the unit framed in the accent
    colour. ``on_pick`` is called with the unit that was clicked. ``height``: at most so many CSS
    pixels, then it scrolls. Raises ValueError when the lengths differ.
    """
    if not len(levels) == len(units) == len(notes) == len(marked):
        raise ValueError(
            "levels, units, notes and marked must have one entry per kernel, got "
            f"{len(levels)}, {len(units)}, {len(notes)}, {len(marked)}"
        )

    def picked() -> None:
        value = (st.session_state.get(key) or {}).get("unit")
        if on_pick and value is not None:
            on_pick(int(value))

    head = {
        "rows": levels.shape[1],
        "columns": levels.shape[2],
        "units": [int(u) for u in units],
        "notes": list(notes),
        "marked": [bool(m) for m in marked],
        "selected": -1 if selected is None else int(selected),
        "height": height,
    }
    parts = {"palette": palette.astype(np.uint8), "levels": levels.astype(np.uint8)}
    grid = component("kernel_grid", '<div class="kernels"></div>')
    grid(key=key, data=pack(head, parts), on_unit_change=picked)
