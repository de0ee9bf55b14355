"""A canvas to draw a digit on, by mouse, pen or finger, with the result framed as MNIST was.

The browser keeps the strokes (polylines in units of the canvas side) and sends them while one
draws. Python rasterises them, frames the picture (20x20 box, centred by mass: Y. LeCun, C. Cortes,
C. Burges, "The MNIST database of handwritten digits") and sends the 28x28 result back, so that the
picture next to the canvas is exactly what a model gets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from genlib.ui.components.packet import as_text, levels
from genlib.ui.kit.web import component, keep, said

RASTER = 140  # pixels per side of the picture that is framed: 5 x 28
MAX_STROKES = 200
MAX_POINTS = 4000  # per stroke
BRUSH_LOW, BRUSH_HIGH = 0.02, 0.25  # brush diameter in canvas sides
_SUBPIXEL_BITS = 4  # OpenCV draws lines at 1/16 pixel


@dataclass(frozen=True)
class Stroke:
    """One line of ink: its brush diameter and its points (n, 2) as (x, y), in canvas sides."""

    brush: float
    points: np.ndarray


def read_strokes(value: object) -> list[Stroke]:
    """Read what the browser sent; anything malformed is dropped, coordinates are kept in [0, 1].

    Args:
        value: a list of {"w": brush diameter, "p": [x0, y0, x1, y1, ...]} in thousandths.
    """
    strokes: list[Stroke] = []
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return strokes
    for item in value[:MAX_STROKES]:
        if not isinstance(item, Mapping):
            continue
        try:
            flat = np.asarray(item.get("p"), dtype=np.float64)[: 2 * MAX_POINTS]
            brush = float(item.get("w", 0.0)) / 1000
        except (TypeError, ValueError):
            continue
        if flat.ndim != 1 or len(flat) < 2 or len(flat) % 2 or not np.isfinite(flat).all():
            continue
        brush = float(np.clip(np.nan_to_num(brush), BRUSH_LOW, BRUSH_HIGH))
        strokes.append(Stroke(brush, np.clip(flat.reshape(-1, 2) / 1000, 0.0, 1.0)))
    return strokes


def rasterise(strokes: Sequence[Stroke], side: int = RASTER) -> np.ndarray:
    """Draw strokes with round brushes, smooth edges.

    Returns:
        float32 (side, side) in [0, 1], ink on 0.
    """
    import cv2  # here, not above: it costs a tenth of a second that Home need not pay

    image = np.zeros((side, side), np.uint8)
    scale = side * (1 << _SUBPIXEL_BITS)
    for stroke in strokes:
        points = np.round(stroke.points * scale).astype(np.int32)
        if len(points) == 1:
            points = np.repeat(points, 2, axis=0)  # a dot is a line that goes nowhere
        width = max(1, round(stroke.brush * side))
        cv2.polylines(
            image, [points], False, (255,), width, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS
        )
    return image.astype(np.float32) / 255


def frame(strokes: Sequence[Stroke]) -> np.ndarray | None:
    """Turn strokes into a digit as a model expects it.

    Returns:
        float32 (28, 28) in [0, 1], in a 20x20 box and centred by mass; None without ink.
    """
    from genlib.data.mnist import frame_digit

    image = rasterise(strokes)
    if not image.any():
        return None
    return np.clip(np.asarray(frame_digit(image), np.float32).reshape(28, 28), 0, 1)


def unframed(strokes: Sequence[Stroke]) -> np.ndarray:
    """Shrink the strokes as they lie on the canvas: float32 (28, 28) in [0, 1]."""
    block = RASTER // 28
    return rasterise(strokes).reshape(28, block, 28, block).mean(axis=(1, 3))


def draw(key: str, *, size: int = 224, label: str = "Draw a digit") -> np.ndarray | None:
    """Show a drawing canvas and return what was drawn so far.

    Call it inside a fragment: it reruns about ten times a second while one draws.

    Args:
        key: the widget's key; the strokes survive a page change under it.
        size: side of the canvas in CSS pixels.
        label: the line above the canvas.

    Returns:
        float32 (28, 28) in [0, 1], framed as MNIST was; None while the canvas is empty.
    """
    kept = f"{key}:strokes"  # a component's own state goes when it leaves the page; this stays
    sent = said(key, "drawing")
    if isinstance(sent, Mapping):
        st.session_state[kept] = {"seq": sent.get("seq", 0), "strokes": sent.get("strokes", [])}
    drawing = st.session_state.get(kept, {"seq": 0, "strokes": []})
    strokes = read_strokes(drawing["strokes"])
    digit = frame(strokes)
    component("draw")(
        key=key,
        data={
            "size": size,
            "label": label,
            "seq": drawing["seq"],
            "strokes": drawing["strokes"],
            "framed": "" if digit is None else as_text(levels(digit)),
            "unframed": as_text(levels(unframed(strokes))) if strokes else "",
        },
        on_drawing_change=keep,
    )
    return digit
