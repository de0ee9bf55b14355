"""Photographs for DeepDream: scikit-learn's samples, or one that a person gives.

Files from people are only decoded by Pillow, after their size in bytes and in pixels was checked.
"""

from __future__ import annotations

import importlib.util
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
NARROWEST = 8  # times as long as wide, where a picture must be enlarged
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
SAMPLES = {"china": "china.jpg", "flower": "flower.jpg"}
# What Pillow raises for files that are damaged, and for files that only an attacker writes.
DAMAGED = (OSError, EOFError, ValueError, SyntaxError, struct.error, zlib.error)
ODD = (IndexError, KeyError, OverflowError, TypeError, MemoryError, AttributeError, RuntimeError)


class PictureError(ValueError):
    """A file that cannot be shown; the message is one sentence for the user."""


def sample(name: str) -> bytes:
    """The bytes of one of scikit-learn's photographs, without importing scikit-learn."""
    if name not in SAMPLES:
        raise ValueError(f"name must be one of {', '.join(SAMPLES)}, got {name!r}")
    try:
        return scikit_learns(f"images/{SAMPLES[name]}").read_bytes()
    except FileNotFoundError:
        raise PictureError(
            "scikit-learn's photographs are not installed: upload a picture."
        ) from None


def scikit_learns(path: str) -> Path:
    """A file that comes with sklearn.datasets, found without importing it, which takes 1.5 s.

    Raises FileNotFoundError where scikit-learn is not installed.
    """
    found = importlib.util.find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("scikit-learn is not installed")
    return Path(found.submodule_search_locations[0]) / "datasets" / path


def decode(data: bytes, longest: int, grey: bool = False, smallest: int = 1) -> Tensor:
    """A picture file -> (1, 3 or 1, H, W) in [0, 1], its longer side at most ``longest`` pixels.

    A shorter side below ``smallest`` pixels is enlarged to it, even if the longer then exceeds
    ``longest``. Raises PictureError if the file isn't an image, is too large or too narrow.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(f"The picture is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise PictureError(f"The picture has more than {MAX_PIXELS // 10**6} megapixels.")
            picture = as_seen(opened, "L" if grey else "RGB")
    except PictureError:
        raise
    except (*DAMAGED, *ODD, Image.DecompressionBombError):
        raise PictureError(
            "This file can't be read as an image. Use PNG, JPEG, WebP, BMP or GIF."
        ) from None
    picture = picture.resize(_size(picture.size, longest, smallest), Image.Resampling.LANCZOS)
    array = np.asarray(picture, np.float32) / 255
    return torch.from_numpy(array[None, None] if grey else array.transpose(2, 0, 1)[None].copy())


def _size(given: tuple[int, int], longest: int, smallest: int) -> tuple[int, int]:
    shrink = min(1.0, longest / max(given))
    factor = max(shrink, smallest / min(given))
    if factor > shrink and max(given) * factor > max(longest, NARROWEST * smallest):
        raise PictureError("The picture is too narrow. Crop it closer to a square.")
    width, height = (max(smallest, round(side * factor)) for side in given)
    return width, height


def square(x: Tensor, side: int) -> Tensor:
    """The middle square of a picture, resized: (1, C, H, W) -> (1, C, side, side)."""
    height, width = x.shape[-2:]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    middle = x[..., top : top + edge, left : left + edge]
    return torch.nn.functional.interpolate(middle, (side, side), mode="bilinear", antialias=True)


def as_seen(picture: Image.Image, mode: str) -> Image.Image:
    """The picture in ``mode`` ("L" or "RGB"), turned as the camera says, transparency on white.

    Deep grey pictures are scaled by their own darkest and brightest pixel.
    """
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    return picture.convert(mode)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Pillow itself would clip them."""
    deep = np.asarray(picture, np.float32)
    low, high = float(deep.min()), float(deep.max())
    return Image.fromarray(((deep - low) * (255 / max(high - low, 1e-9))).astype(np.uint8))
