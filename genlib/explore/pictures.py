"""Photographs for DeepDream: scikit-learn's samples, or one that a person gives.

Files from people are only decoded by Pillow, after their size in bytes and in pixels was checked.
"""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
SAMPLES = {"china": "china.jpg", "flower": "flower.jpg"}


class PictureError(ValueError):
    """A file that cannot be shown; the message is one sentence for the user."""


def sample(name: str) -> bytes:
    """The bytes of one of scikit-learn's photographs, without importing scikit-learn."""
    if name not in SAMPLES:
        raise ValueError(f"name must be one of {', '.join(SAMPLES)}, got {name!r}")
    found = importlib.util.find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise PictureError("scikit-learn's photographs are not installed: upload a picture.")
    folder = Path(found.submodule_search_locations[0]) / "datasets" / "images"
    return (folder / SAMPLES[name]).read_bytes()


def decode(data: bytes, longest: int, grey: bool = False) -> Tensor:
    """A picture file -> (1, 3 or 1, H, W) in [0, 1], its longer side at most ``longest`` pixels.

    Raises PictureError if it is none, or too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(data) > MAX_BYTES:
        raise PictureError(f"The picture is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise PictureError(f"The picture has more than {MAX_PIXELS // 10**6} megapixels.")
            turned = ImageOps.exif_transpose(opened)
            picture = turned.convert("L" if grey else "RGB")
    except PictureError:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise PictureError(
            "This file is no picture that can be read: use PNG, JPEG, WebP, BMP or GIF."
        ) from None
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    array = np.asarray(picture, np.float32) / 255
    return torch.from_numpy(array[None, None] if grey else array.transpose(2, 0, 1)[None].copy())


def square(x: Tensor, side: int) -> Tensor:
    """The middle square of a picture, resized: (1, C, H, W) -> (1, C, side, side)."""
    height, width = x.shape[-2:]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    middle = x[..., top : top + edge, left : left + edge]
    return torch.nn.functional.interpolate(middle, (side, side), mode="bilinear", antialias=True)
