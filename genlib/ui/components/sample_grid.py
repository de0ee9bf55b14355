"""A grid of small pictures of which one can be chosen, by mouse or keyboard."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlib.ui.components import history
from genlib.ui.kit.images import data_url, grid_image
from genlib.ui.kit.web import component, keep, said


def sample_grid(
    key: str, images: NDArray[np.uint8], columns: int, chosen: int, *, label: str = "Sample"
) -> int:
    """Show pictures (N, C, H, W) and return which one is chosen, `chosen` at first.

    The choice is linked as the query parameter `key`; another N forgets a choice beyond it.
    """
    mounted = history.of_this_visit(key)
    told = said(mounted, "chosen")
    linked = st.query_params.get(key, "")
    if isinstance(told, Mapping) and isinstance(told.get("at"), int):
        index = int(told["at"])
    else:
        index = int(linked) if linked.isdecimal() and len(linked) < 7 else chosen
    index = min(max(index, 0), len(images) - 1)
    if (linked or str(chosen)) != str(index):
        st.query_params[key] = str(index)
    data = {
        "picture": data_url(grid_image(images, columns, gap=2)),
        "count": len(images),
        "columns": columns,
        "chosen": index,
        "label": label,
    }
    component("sample_grid")(key=mounted, data=data, on_chosen_change=keep, height="content")
    return index
