"""A picture that Pillow opened, as a person would see it, in eight bits per channel."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps


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
