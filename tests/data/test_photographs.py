"""Pictures that people give are decoded within limits."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from genlib.data.pictures.photographs import PictureError, decode, sample
from genlib.explore.ascent.film import png


def test_pictures_are_decoded_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    flower = decode(sample("flower"), 100)
    assert flower.shape == (1, 3, 67, 100)
    assert flower.min() >= 0 and flower.max() <= 1
    assert decode(sample("china"), 60, grey=True).shape[1] == 1
    for data in (b"", b"GIF89a broken", b"<svg/>"):
        with pytest.raises(PictureError, match="can't be read as an image"):
            decode(data, 100)
    monkeypatch.setattr("genlib.data.pictures.photographs.MAX_PIXELS", 1000)
    with pytest.raises(PictureError, match="megapixels"):
        decode(sample("flower"), 100)


def test_a_tiny_picture_is_enlarged_to_what_the_network_needs_and_a_line_is_refused() -> None:
    dot, line = (png(np.zeros(shape, np.uint8)) for shape in ((1, 1, 3), (2, 3000, 3)))
    assert decode(dot, 224, smallest=33).shape == (1, 3, 33, 33)
    assert decode(sample("flower"), 40, smallest=33).shape[2] == 33
    with pytest.raises(PictureError, match="too narrow"):
        decode(line, 224, smallest=33)


def test_deep_and_transparent_pictures_look_as_elsewhere() -> None:
    ramp = (np.arange(64 * 64) * 16).astype(np.uint16).reshape(64, 64)
    clear = np.zeros((64, 64, 4), np.uint8)
    deep, paper = (decode(file(Image.fromarray(x)), 64, grey=True) for x in (ramp, clear))
    assert abs(float(deep.mean()) - 0.5) < 0.01, "not clipped to white"
    assert float(paper.min()) == 1, "what is transparent is white"


def file(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
