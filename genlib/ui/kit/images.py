"""Pictures on pages: small PNGs, enlarged by the browser without smoothing (ui/style.css)."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from genlib.ui.kit.plain import plain

if TYPE_CHECKING:
    import torch

MOST_STORED = 1000  # pictures in one file of a run

Array = NDArray[np.generic]

INK = (11, 23, 24)  # behind curves and points, in both themes
DIGIT_COLOURS = (
    *("#6ea4ff", "#ff9d45", "#4fd07f", "#ff6f75", "#b794ff"),
    *("#c99a83", "#ff8fd3", "#a9b8be", "#e0d43c", "#3fd6e8"),
)


def stored(path: Path) -> NDArray[np.uint8] | None:
    """Pictures (N, C, H, W) that a run kept of an epoch; None for a file that holds others."""
    try:
        # Mapped, so that a file can't claim more than it holds.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError, TypeError):
        return None
    sound = isinstance(array, np.ndarray) and array.dtype == np.uint8 and array.ndim == 4
    if not sound or array.shape[1] not in (1, 3) or not array.size or len(array) > MOST_STORED:
        return None
    return np.array(array)


def to_uint8(image: torch.Tensor | Array) -> NDArray[np.uint8]:
    """(C, H, W), (H, W) or (H, W, C); floats in [0, 1] or uint8 -> uint8 (H, W) or (H, W, 3)."""
    array = np.asarray(image.detach().cpu() if hasattr(image, "detach") else image)
    if array.dtype != np.uint8:
        array = (np.nan_to_num(array.astype(np.float32)).clip(0, 1) * 255).round().astype(np.uint8)
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3):
        array = array.transpose(1, 2, 0)
    return array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array


def to_png(image: torch.Tensor | Array, scale: int = 1) -> bytes:
    """PNG bytes of an image (see ``to_uint8``), each pixel repeated ``scale`` times."""
    from PIL import Image

    array = to_uint8(image).repeat(scale, axis=0).repeat(scale, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def to_gif(images: torch.Tensor | Array, seconds: float = 0.08, scale: int = 8) -> bytes:
    """An endlessly looping GIF of images (N, C, H, W) or (N, H, W), ``seconds`` a frame."""
    from PIL import Image

    frames = [
        Image.fromarray(to_uint8(i).repeat(scale, axis=0).repeat(scale, axis=1)) for i in images
    ]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=max(20, round(seconds * 1000)),
        loop=0,
    )
    return buffer.getvalue()


def data_url(image: torch.Tensor | Array) -> str:
    """An image as a ``data:`` address: unlike a media file, never gone before it is fetched."""
    return "data:image/png;base64," + base64.b64encode(to_png(image)).decode()


def picture(
    image: torch.Tensor | Array,
    caption: str = "",
    width: int = 140,
    where: DeltaGenerator | None = None,
) -> None:
    """Show an image with crisp pixels, ``width`` CSS pixels wide."""
    target = st if where is None else where
    target.image(
        data_url(image), caption=plain(caption) or None, width=width, alt=caption or "picture"
    )


def grid_image(
    images: torch.Tensor | Array, columns: int, gap: int = 1, background: float = 0.5
) -> NDArray[np.uint8]:
    """Tile images (N, C, H, W) or (N, H, W) row by row -> uint8 (rows, width) or (.., .., 3).

    ``gap`` pixels of ``background`` (0 black to 1 white) lie between the tiles.
    """
    tiles = [to_uint8(image) for image in images]
    h, w = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    shape = (rows * (h + gap) - gap, columns * (w + gap) - gap, *tiles[0].shape[2:])
    out = np.full(shape, round(background * 255), np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (h + gap), index % columns * (w + gap)
        out[top : top + h, left : left + w] = tile
    return out
