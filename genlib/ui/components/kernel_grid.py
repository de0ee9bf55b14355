"""All kernels of a layer on one canvas: a magnifier under the mouse, a click chooses one.

Pixels travel once, as bytes; the grid lays itself out to the width it is given, each weight a
whole number of screen pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from genlib.ui.components.packet import pack
from genlib.ui.kit.web import component, said


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
    shown with the magnifier; marked: framed in amber; selected: the unit framed in the accent
    colour. ``on_pick`` is called with the unit that was clicked. ``height``: at most so many CSS
    pixels, then it scrolls. Raises ValueError when the lengths differ.
    """
    if not len(levels) == len(units) == len(notes) == len(marked):
        lengths = [len(one) for one in (levels, units, notes, marked)]
        raise ValueError(f"levels, units, notes, marked must have one length, got {lengths}")

    def picked() -> None:
        unit = said(key, "unit")
        if on_pick and isinstance(unit, int):
            on_pick(unit)

    head = {
        "rows": levels.shape[1],
        "columns": levels.shape[2],
        "units": [int(u) for u in units],
        "notes": list(notes),
        "marked": [bool(m) for m in marked],
        "selected": -1 if selected is None else selected,
        "height": height,
    }
    data = pack(head, {"palette": palette, "levels": levels})
    component("kernel_grid")(key=key, data=data, on_unit_change=picked)
