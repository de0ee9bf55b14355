"""What the Architectures page shows: the diagram of a checkpoint at an image, and its layers."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from genlib.data import datasets
from genlib.explore import architecture
from genlib.explore.architecture import Diagram
from genlib.store.checkpoint import Info
from genlib.ui.components.architecture import packet
from genlib.ui.components.digit_picker import pick_digit
from genlib.ui.kit import loading, standalone
from genlib.ui.kit.plain import plain

FIRST = "vae-20"  # what the page opens with
LINKED = "architectures."  # the link keeps what was clicked as architectures.at
TITLE = "Architectures"
INTRO = "Point at a block or a circle: what it computes, and what it makes of this image."


def models() -> dict[str, Info]:
    """The checkpoints that have a diagram, by name."""
    able = [one for one in loading.checkpoints() if architecture.drawable(one.capabilities)]
    return {one.name: one for one in able}


def pick(by_name: Mapping[str, Info], where: DeltaGenerator) -> Info:
    """Choose one of them."""
    names = list(by_name)
    chosen = where.selectbox(
        "Model",
        names,
        index=names.index(FIRST) if FIRST in names else 0,
        key="architectures.model",
        bind="query-params",
        help="Every checkpoint that has a diagram.",
    )
    return by_name.get(chosen or "", by_name[names[0]])


def pick_image(info: Info) -> torch.Tensor | None:
    """The image that goes through the model, (C, H, W) in [0, 1]; None where there is none."""
    size = (info.config.get("channels"), info.config.get("image_size"))
    if info.dataset not in datasets.available() and size != loading.dataset().shape[:2]:
        st.caption(plain(f"{info.dataset} is not here: shapes only, no activations."))
        return None
    digit = pick_digit("architectures.digit", "Image", data=loading.pictures_of(info))
    if tuple(digit.image.shape[:2]) != size:
        st.caption("This model takes images of another size: shapes only, no activations.")
        return None
    return digit.image


def diagram(info: Info, image: torch.Tensor | None, seed: int = 0) -> Diagram:
    """The diagram of a checkpoint, run on the image."""
    return architecture.diagram(loading.model(info), image, seed)


def rows(drawn: Diagram) -> list[dict[str, object]]:
    """Every layer as a row of a table."""
    return [
        {
            "Part": part.title,
            "Layer": layer.name,
            "Kind": layer.kind,
            "In": "×".join(map(str, layer.shape_in)),
            "Out": "×".join(map(str, layer.shape_out)),
            "Parameters": layer.parameters,
            "Rule": layer.equation,
        }
        for part in drawn.parts
        for block in part.blocks
        for layer in block.layers
    ]


def as_file(drawn: Diagram) -> str:
    """The diagram with all its numbers as one HTML file."""
    found = packet(drawn, linked=LINKED, alone=True)
    return standalone.packet_page("architecture", f"{TITLE}: {drawn.title}", INTRO, found)
