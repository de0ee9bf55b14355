"""What the browser gets of a running ascent: the newest frame, at times curves and filmstrip.

Frames leave as they are: packing them into PNG would cost more time than it saves on one machine.
The curves, the filmstrip and the original change slowly, so they come only when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlib.explore.ascent.film import Film, png
from genlib.explore.ascent.live import Live
from genlib.explore.ascent.shown import pixels
from genlib.ui.components.packet import Part, pack

STRIP_FRAMES = 24
STRIP_EDGE = 58  # pixels of a thumbnail's height


@dataclass(frozen=True)
class Ask:
    """What the browser wants. after: the version that it has; curves: whether to send them;
    strip, before: which filmstrip and original it has ("" for none), None to ask for neither."""

    after: int = -1
    curves: bool = False
    strip: str | None = None
    before: str | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Ask:
        """Read the query of an address; raises ValueError when ``after`` isn't a number."""
        after = int(query.get("after", "-1"))
        return cls(after, "curves" in query, query.get("strip"), query.get("before"))

    @property
    def heavy(self) -> bool:
        """Whether the answer may take more than a moment to make."""
        return self.strip is not None or self.before is not None


def packet(live: Live, ask: Ask) -> bytes:
    """The newest frame and its numbers, with what else was asked for."""
    # In this order: what no longer moves has its last version, and no frame has a version too new.
    moving = live.moving
    version, shown = live.version, live.shown
    count, height, width, channels = shown.images.shape
    values: dict[str, object] = {
        "version": version,
        "epoch": live.epoch,
        "step": shown.step,
        "running": moving,
        "state": state_of(live),
        "alert": alert(live),
        "steps_per_s": round(shown.steps_per_s, 1),
        "count": count,
        "height": height,
        "width": width,
        "channels": channels,
        "classes": list(shown.classes),
        "labels": [live.names[c] for c in shown.classes],
        "groups": list(live.groups),
        "names": len(live.names) // len(live.groups),
        "probabilities": [p if np.isfinite(p) else None for p in shown.probability],
    }
    parts: dict[str, Part] = {"frame": shown.images}
    if ask.curves:
        classes, steps, table = live.curves.table()
        values["curve_classes"] = classes
        parts |= {"steps": steps, "table": table}
    strip = f"{live.epoch}.{live.film.version}"
    if ask.strip is not None and ask.strip != strip and live.film.frames:
        parts["atlas"], drawn = atlas(live.film, live.columns)
        values["strip"] = {"version": strip, **drawn}
    before = str(live.epoch)
    if ask.before is not None and ask.before != before:
        values["before"] = before
        parts["original"] = pixels(live.original)
    return pack(values, parts)


def state_of(live: Live) -> str:
    """What the ascent does now, in a few words."""
    if not live.moving:
        return "Paused" if live.shown.step else "Ready"
    company = live.company()
    return f"Climbing, {company}" if company else "Climbing"


def alert(live: Live) -> str:
    """What the person should know about it, in a sentence; "" when all is well."""
    if live.error:
        return live.error
    if live.shown.step and live.shown.grad_norm and not any(live.shown.grad_norm):
        return (
            "The gradient is zero: this unit is switched off by a ReLU. The value before the ReLU "
            "is maximised instead, if there is one."
        )
    return ""


def wall(images: NDArray[np.uint8], columns: int = 5) -> NDArray[np.uint8]:
    """Tile pictures (B, H, W, C) without gaps: ten as 5 x 2 -> (2 H, 5 W, C)."""
    count, height, width, channels = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    out = np.zeros((rows * columns, height, width, channels), np.uint8)
    out[:count] = images
    grid = out.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid.reshape(rows * height, columns * width, channels))


def atlas(kept: Film, columns: int = 5) -> tuple[bytes, dict[str, object]]:
    """The filmstrip as one PNG, thumbnails one above the other, and what they are."""
    frames, position = list(kept.frames), kept.position
    position = min(position, len(frames) - 1)  # the ascent's thread may add one meanwhile
    picks = sorted({round(i) for i in np.linspace(0, len(frames) - 1, STRIP_FRAMES)} | {position})
    thumbs = [wall(pixels(frames[i].image), columns) for i in picks]
    thumbs = [t[:: max(1, len(t) // STRIP_EDGE), :: max(1, len(t) // STRIP_EDGE)] for t in thumbs]
    height, width = max(t.shape[0] for t in thumbs), max(t.shape[1] for t in thumbs)
    sheet = np.zeros((len(thumbs), height, width, thumbs[0].shape[2]), np.uint8)
    for row, thumb in zip(sheet, thumbs, strict=True):
        row[: thumb.shape[0], : thumb.shape[1]] = thumb
    drawn: dict[str, object] = {
        "width": width,
        "height": height,
        "position": frames[position].step,
        "steps": [frames[i].step for i in picks],
    }
    return png(sheet.reshape(-1, width, sheet.shape[-1]), level=1), drawn
