"""The latent map: a scatter of pictures on a canvas that follows the pointer within a frame.

`store` (of decoder_store.py) brings what is heavy into the browser once: all thumbnails as one PNG,
or the codes with the decoder. `latent_map` gets positions, and finds the rest by name in the page's
store, so that the frames of a running t-SNE stay small. Hovering, zooming and decoding an empty
place ask nothing of the server.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlib.explore.projection import MAX_POINTS, Linear
from genlib.export.operations import Exported
from genlib.ui.components.decoder_store import model_data
from genlib.ui.components.packet import Part, pack
from genlib.ui.kit.images import to_png
from genlib.ui.kit.web import component, keep, said

Array = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Stars:
    """New points on a map: positions (m, 2), pictures uint8 (m, side, side), and their name."""

    positions: Array = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    pictures: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 28, 28), np.uint8))
    name: str = ""


@dataclass(frozen=True)
class Selection:
    """What the user has chosen, as indices into the list of points."""

    picked: int | None = None
    lassoed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cloud:
    """The points of a map and what they are.

    positions (n, 2); labels uint8 (n,) into `classes`; numbers int32 (n,): which test image each
    is. space: changes when positions mean something else, so that all points are shown again.
    pictures, codes: names in the store ("" for none). linear: set where the map is a plane.
    axes: names of the two axes, where they mean something.
    """

    positions: Array
    labels: NDArray[np.uint8]
    numbers: NDArray[np.int32]
    classes: Sequence[str]
    space: str
    pictures: str
    codes: str = ""
    linear: Linear | None = None
    axes: tuple[str, str] | None = None
    title: str = ""
    file: str = "latent-map"
    pane: bool = False  # one of several next to each other: without the tools


def atlas(pictures: NDArray[np.uint8]) -> tuple[bytes, int]:
    """Lay pictures uint8 (n, C, H, W) side by side in one PNG; return it and its columns."""
    columns = math.ceil(math.sqrt(len(pictures)))
    n, channels, side, _ = pictures.shape
    rows = math.ceil(n / columns)
    sheet = np.zeros((rows * columns, channels, side, side), np.uint8)
    sheet[:n] = pictures
    tiles = sheet.reshape(rows, columns, channels, side, side).transpose(0, 3, 1, 4, 2)
    return to_png(tiles.reshape(rows * side, columns * side, channels)), columns


def pictures_message(name: str, pictures: NDArray[np.uint8]) -> bytes:
    """What `store` needs to share pictures uint8 (n, C, H, W) as one atlas under `name`."""
    png, columns = atlas(pictures)
    header = {"name": name, "columns": columns, "side": pictures.shape[-1]}
    return pack(header, {"atlas": png})


def codes_message(name: str, exported: Exported, codes: Array) -> bytes:
    """What `store` needs to share a decoder and the codes (n, d) under `name`.

    Codes travel as one byte a number, between each latent's lowest and highest: they are only
    blended, which blurs them far more than 1/255 of their range.
    """
    low, high = codes.min(axis=0), codes.max(axis=0)
    scaled = np.round((codes - low) / np.maximum(high - low, 1e-12) * 255)
    arrays: dict[str, Part] = {
        "codes": scaled.astype(np.uint8),
        "low": low,
        "high": high,
        "weights": exported.weights,
    }
    return pack({"name": name, "model": model_data(exported), "latents": codes.shape[1]}, arrays)


def latent_map(
    key: str,
    cloud: Cloud,
    *,
    selection: Selection,
    rays: Sequence[int] = (),
    stars: Stars | None = None,
) -> None:
    """Draw the map. `selected` reads what the user chooses, before the next drawing.

    Args:
        key: the widget's key.
        cloud: points; the same number of points travel from where they were.
        selection: what is marked as chosen.
        rays: points to join to the picked one by lines: its neighbours.
        stars: new points, drawn as stars.
    """
    stars = stars or Stars()
    header: dict[str, object] = {
        "classes": list(cloud.classes),
        "space": cloud.space,
        "pictures": cloud.pictures,
        "codes": cloud.codes,
        "axes": cloud.axes and list(cloud.axes),
        "title": cloud.title,
        "file": cloud.file,
        "pane": cloud.pane,
        "picked": -1 if selection.picked is None else selection.picked,
        "hidden": _whole_numbers(said(key, "hidden")),
        "starName": stars.name,
        "starSide": stars.pictures.shape[-1],
    }
    component("latent_map")(
        key=key,
        data=pack(header, _arrays(cloud, selection, rays, stars)),
        on_picked_change=keep,
        on_lassoed_change=keep,
        on_hidden_change=keep,
        height="content",
    )


def _arrays(
    cloud: Cloud, selection: Selection, rays: Sequence[int], stars: Stars
) -> dict[str, Part]:
    linear, empty = cloud.linear, np.zeros(0, np.float32)
    return {
        "positions": cloud.positions.astype(np.float32),
        "labels": cloud.labels.astype(np.uint8),
        "numbers": cloud.numbers.astype(np.int32),
        "chosen": np.array(selection.lassoed, np.int32),
        "rays": np.array(rays, np.int32),
        "stars": stars.positions.astype(np.float32),
        "starPictures": stars.pictures,
        "axesRows": linear.axes if linear else empty,
        "mean": linear.mean if linear else empty,
        "origin": linear.origin if linear else empty,
    }


def selected(key: str, numbers: NDArray[np.int32], start: int | None = None) -> Selection:
    """What the user has chosen, as the browser last said; nonsense is dropped.

    Args:
        key: the map's key.
        numbers: (n,) which test image each point is; the browser names points by them, so that a
            choice outlives a change of the number of points.
        start: test image that is picked before the user has picked any.
    """
    state = st.session_state.get(key)
    sent = state.get("picked") if isinstance(state, Mapping) and "picked" in state else start
    picked = np.flatnonzero(np.isin(numbers, _whole_numbers([sent])))
    lassoed = np.flatnonzero(np.isin(numbers, _whole_numbers(said(key, "lassoed"))))
    return Selection(int(picked[0]) if len(picked) else None, tuple(lassoed.tolist()))


def _whole_numbers(value: object) -> list[int]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return []
    return [v for v in value if isinstance(v, int) and 0 <= v < 2**31][:MAX_POINTS]
