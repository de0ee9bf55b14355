"""The film of an ascent: one canvas for the newest frame with its curves, and a filmstrip.

The canvas pulls: it asks for the next frame when the last is drawn, through the trigger ``pull``,
which reruns the fragment it is in. Frames travel as raw bytes, large ones as PNG.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlib.explore.film import Film, png
from genlib.explore.live import Live

_HERE = Path(__file__).parent
LONGEST_WAIT = 0.15  # seconds that an answer waits for a new frame; below the browser's watchdog
RAW_BYTES = 400_000  # above this a PNG is quicker than hashing and sending raw bytes
STRIP_FRAMES = 24
STRIP_EDGE = 58  # pixels of a thumbnail's height
STRIP_SECONDS = 0.7  # the filmstrip need not change with every frame
PANELS = ("Objective", "Probability", "Gradient norm")


@dataclass(frozen=True)
class Strip:
    """A drawn filmstrip: PNG of the thumbnails one above the other, and what they are."""

    version: int
    drawn_at: float
    atlas: bytes
    meta: dict[str, object]


def film(
    key: str,
    live: Live,
    labels: Sequence[str],
    names: Callable[[int], str],
    state: str,
    compare: bool = False,
    panels: Sequence[str] = PANELS,
) -> None:
    """Show an ascent's newest frame; call it inside a fragment.

    labels: under each picture (none: no captions); names: class -> its name, for the curves;
    state: one or two words; compare: a handle that uncovers the original (one picture only).
    """
    if live.running:  # an answer without a new frame would only be asked for again
        live.wait_for_news(st.session_state.get(f"{key}.sent", -1), LONGEST_WAIT)
    shown = live.shown
    st.session_state[f"{key}.sent"] = shown.step
    count, height, width, channels = shown.images.shape
    classes, steps, table = live.curves.table()
    raw = shown.images.tobytes()
    packed = len(raw) > RAW_BYTES
    asked = (st.session_state.get(key) or {}).get("pull") or {}
    before = f"{id(live)}.{live.epoch}" if compare and count == 1 else ""
    send_before = bool(before) and asked.get("before") != before
    meta: dict[str, object] = {
        "png": packed, "count": count, "height": height, "width": width, "channels": channels,
        "labels": list(labels), "classes": list(shown.classes), "curve_classes": classes,
        "curve_names": [names(c) for c in classes], "points": len(steps),
        "panels": list(panels), "probabilities": [_finite(p) for p in shown.probability],
        # The browser is called only when data change: the number of its question always does.
        "pull": asked.get("n", 0), "step": shown.step, "seq": shown.step, "epoch": live.epoch,
        "running": live.running,
        "state": state, "steps_per_s": round(shown.steps_per_s, 1), "before": before,
    }  # fmt: skip
    parts = {
        "frame": png(shown.images.reshape(-1, width, channels), level=1) if packed else raw,
        "curves": steps.astype(np.float32).tobytes() + table.tobytes(),
        "before": pixels(live.original.numpy()).tobytes() if send_before else b"",
    }
    _film()(key=key, data=_packet(meta, parts), on_pull_change=_nothing)


def strip(key: str, live: Live) -> None:
    """Show the filmstrip; a click puts that frame back and pauses. Call it inside a fragment."""
    drawn: Strip | None = st.session_state.get(f"{key}.drawn")
    late = drawn is None or time.monotonic() - drawn.drawn_at > STRIP_SECONDS or not live.running
    version = live.film.version
    if drawn is None or (late and drawn.version != version):
        atlas, meta = _atlas(live.film)
        drawn = Strip(version, time.monotonic(), atlas, meta)
        st.session_state[f"{key}.drawn"] = drawn
    meta = {**drawn.meta, "follow": live.running}

    def go() -> None:
        asked = (st.session_state.get(key) or {}).get("go")
        if isinstance(asked, dict):
            live.go_to(int(asked.get("index", -1)))

    _strip()(key=key, data=_packet(meta, {"atlas": drawn.atlas}), on_go_change=go)


def wall(images: NDArray[np.uint8], columns: int = 5) -> NDArray[np.uint8]:
    """Tile pictures (B, H, W, C) without gaps: ten as 5 x 2 -> (2 H, 5 W, C)."""
    count, height, width, channels = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    out = np.zeros((rows * columns, height, width, channels), np.uint8)
    out[:count] = images
    grid = out.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid.reshape(rows * height, columns * width, channels))


def pixels(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(B, C, H, W) in [0, 1] -> (B, H, W, C) uint8."""
    return (image.clip(0, 1) * 255).round().astype(np.uint8).transpose(0, 2, 3, 1)


def _atlas(kept: Film) -> tuple[bytes, dict[str, object]]:
    frames, position = list(kept.frames), kept.position
    picks = sorted({round(i) for i in np.linspace(0, len(frames) - 1, STRIP_FRAMES)} | {position})
    thumbs = [wall(pixels(frames[i].image.numpy())) for i in picks]
    thumbs = [t[:: max(1, len(t) // STRIP_EDGE), :: max(1, len(t) // STRIP_EDGE)] for t in thumbs]
    height, width = max(t.shape[0] for t in thumbs), max(t.shape[1] for t in thumbs)
    sheet = np.zeros((len(thumbs), height, width, thumbs[0].shape[2]), np.uint8)
    for row, thumb in zip(sheet, thumbs, strict=True):
        row[: thumb.shape[0], : thumb.shape[1]] = thumb
    meta: dict[str, object] = {
        "width": width,
        "height": height,
        "position": position,
        "frames": [{"index": i, "step": frames[i].step} for i in picks],
    }
    return png(sheet.reshape(-1, width, sheet.shape[-1]), level=1), meta


def _packet(meta: dict[str, object], parts: dict[str, bytes]) -> bytes:
    """Header and parts in one string of bytes; packet.js takes it apart."""
    sizes = [(name, len(part)) for name, part in parts.items()]
    header = json.dumps({"meta": meta, "parts": sizes}).encode()
    return b"".join((len(header).to_bytes(4, "little"), header, *parts.values()))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _nothing() -> None:
    """Streamlit keeps a component's triggers only when it has a callback."""


@st.cache_resource(show_spinner=False)
def _film() -> st.components.v2.types.ComponentRenderer:
    """Register the canvas once per server; its chart code lives in a file of its own."""
    parts = ("packet.js", "film_curves.js", "film.js")
    return st.components.v2.component(
        "genlib_film",
        html='<div class="film"><div class="stage"><canvas class="picture" role="img" '
        'aria-label="Picture of the ascent"></canvas></div>'
        '<label class="compare" hidden>Uncover the original<input type="range" min="0" '
        'max="1000" value="0"></label>'
        '<div class="facts"></div><canvas class="chart" role="img" aria-label="Curves"></canvas>'
        "</div>",
        css=(_HERE / "film.css").read_text(),
        js="".join((_HERE / part).read_text() for part in parts),
    )


@st.cache_resource(show_spinner=False)
def _strip() -> st.components.v2.types.ComponentRenderer:
    return st.components.v2.component(
        "genlib_strip",
        html='<div class="strip" role="group" aria-label="Filmstrip"></div>',
        css=(_HERE / "strip.css").read_text(),
        js=(_HERE / "packet.js").read_text() + (_HERE / "strip.js").read_text(),
    )
