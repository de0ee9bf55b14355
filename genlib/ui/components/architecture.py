"""A model's block diagram as a drawing: hover, or go by arrow keys, and see what a block computes.

All numbers travel with the drawing, so that hovering asks nothing of the server.
"""

from __future__ import annotations

import numpy as np

from genlib.explore.architecture import Bar, Diagram, Dot, Part, Values
from genlib.ui.components.packet import Part as Array
from genlib.ui.components.packet import pack
from genlib.ui.kit.web import component

MOST_MAPS = 16  # channels of a block that are shown


def architecture(
    key: str, diagram: Diagram, *, roles: bool = False, start: str = "", linked: str = ""
) -> None:
    """Draw a diagram. roles: write what each part plays (the counterfeiter, the police).

    start: the key of the part or circle whose details are shown until something is pointed at.
    linked: the prefix, with its dot, below which the link keeps what was clicked last as ``at``.
    """
    data = packet(diagram, roles=roles, start=start, linked=linked)
    component("architecture")(key=key, data=data, height="content")


def packet(
    diagram: Diagram,
    *,
    roles: bool = False,
    start: str = "",
    linked: str = "",
    alone: bool = False,
) -> bytes:
    """What the browser gets. alone: without a server; what was clicked comes from the link."""
    arrays: dict[str, Array] = {}

    def keep(name: str, values: Values | None) -> None:
        if values is not None:
            shown = values[:MOST_MAPS] if values.ndim == 3 else values
            arrays[f"values.{name}"] = np.ascontiguousarray(shown, np.float32).ravel()

    for dot in diagram.dots:
        keep(dot.key, dot.values)
    for part in diagram.parts:
        for k, block in enumerate(part.blocks):
            keep(f"{part.key}.{k}", block.values)
    header: dict[str, object] = {
        "title": diagram.title,
        "roles": roles,
        "start": start,
        "linked": linked,
        "alone": alone,
        "parts": [_part(part) for part in diagram.parts],
        "dots": [_dot(dot) for dot in diagram.dots],
        "wires": [{"start": w.start, "end": w.end, "under": w.under} for w in diagram.wires],
    }
    return pack(header, arrays)


def _dot(dot: Dot) -> dict[str, object]:
    return {
        "key": dot.key,
        "symbol": dot.symbol,
        "title": dot.title,
        "role": dot.role,
        "text": dot.text,
        "column": dot.column,
        "row": dot.row,
        "shape": dot.shape,
    }


def _part(part: Part) -> dict[str, object]:
    return {
        "key": part.key,
        "title": part.title,
        "role": part.role,
        "parameters": part.parameters,
        "column": part.column,
        "row": part.row,
        "blocks": [_block(block) for block in part.blocks],
    }


def _block(block: Bar) -> dict[str, object]:
    return {
        "shape": block.shape,
        "parameters": block.parameters,
        "noisy": any(layer.noisy for layer in block.layers),
        "layers": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "in": layer.shape_in,
                "out": layer.shape_out,
                "parameters": layer.parameters,
                "equation": layer.equation,
            }
            for layer in block.layers
        ],
    }
