"""Numbers with error bars on one axis, a row for each name, in HTML that is there at once.

Plotly can draw it, too, but its first figure takes a browser most of a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

KINDS = {  # how a number was come by -> what the legend says
    "exact": "exact",
    "estimate": "estimate",
    "bound": "upper bound: the truth is here or further left",
    "published": "published, other models of the kind",
}
ROOM = 0.05  # of the axis, left of the first bar and right of the last
LARGEST = 1e300  # what is beyond, as in a checkpoint made by hand, has no place on an axis
TICKS = 6  # about so many

# A mark is 12 px large; the triangle of a bound has a hole where it is open.
_STYLE = """<style>
.dots {display: grid; grid-template-columns: fit-content(44%) minmax(0, 1fr); column-gap: 12px;
  font-size: .9rem; line-height: 1.25;}
.dots > * {min-width: 0;}
.dots .name {grid-column: 1; text-align: right; align-self: center; padding: 4px 0;
  overflow-wrap: anywhere;}
.dots .track, .dots .grid, .dots .axis {grid-column: 2; position: relative; margin: 0 8px;}
.dots .track {min-height: 26px; align-self: stretch;}
.dots .grid {border-bottom: 1px solid rgb(128 128 128 / 60%);}
.dots .grid i {position: absolute; inset: 0 auto; border-left: 1px solid rgb(128 128 128 / 28%);}
.dots .axis {height: 22px;}
.dots .axis span {position: absolute; top: 3px; transform: translateX(-50%);
  font-variant-numeric: tabular-nums;}
.dots .unit {grid-column: 2; text-align: center;}
.dots .bar {position: absolute; top: 50%; border-top: 2px solid var(--ink); margin-top: -1px;}
.dots .bar::before, .dots .bar::after {content: ""; position: absolute; top: -6px; height: 10px;
  border-left: 2px solid var(--ink);}
.dots .bar::before {left: 0;}
.dots .bar::after {right: 0;}
.dots-legend {display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: .9rem; margin-bottom: 6px;}
.dots-legend span {display: flex; align-items: center; gap: 7px;}
.dots .mark {position: absolute; top: 50%; margin: -6px 0 0 -6px;}
.dots .exact, .dots-legend .exact {--ink: #0b8a76;}
.dots .estimate, .dots-legend .estimate {--ink: #7a5fd0;}
.dots .bound, .dots-legend .bound {--ink: #2f74d0;}
.dots .published, .dots-legend .published {--ink: #8a8f94;}
.mark {width: 12px; height: 12px; flex: none; box-sizing: border-box; background: var(--ink);}
.mark.exact {border-radius: 50%;}
.mark.bound {clip-path: polygon(0 50%, 100% 0, 100% 100%);}
.mark.published, .mark.open:not(.bound) {background: none; border: 2px solid var(--ink);}
.mark.published {transform: rotate(45deg) scale(.85);}
.mark.bound.open {clip-path: polygon(evenodd, 0 50%, 100% 0, 100% 100%, 0 50%, 35% 50%, 82% 26%,
  82% 74%, 35% 50%);}
@media (max-width: 820px) {  /* every other number of the axis fits on a phone */
  .dots .axis span:nth-child(even) {display: none;}
}
</style>"""


@dataclass(frozen=True)
class Point:
    """One number of a row.

    how: it was come by, one of KINDS; error: half the length of its bar; text: a sentence on it;
    fresh: it was measured just now, and is drawn open.
    """

    row: str
    how: str
    value: float
    error: float
    text: str
    fresh: bool = False


def dot_plot(points: Sequence[Point], axis: str) -> None:
    """One row for each name, the smallest number on top; the sentence shows on hover.

    Says so where none of the numbers has a place on an axis.
    """
    shown = [p for p in points if abs(p.value) + abs(p.error) <= LARGEST]
    if shown:
        st.html(_STYLE + as_html(shown, axis))
    else:
        st.caption("No finite number has been measured yet.")


def as_html(points: Sequence[Point], axis: str) -> str:
    """The plot without its style. Raises ValueError without points, and for infinite numbers."""
    low = min(p.value - p.error for p in points)
    high = max(p.value + p.error for p in points)
    # Wide enough to tell numbers apart, also where they are large.
    room = max(ROOM * (high - low or 1.0), 1e-9 * max(abs(low), abs(high)))
    low, high = low - room, high + room

    def at(x: float) -> str:
        return f"{(x - low) / (high - low):.2%}"

    best = {p.row: min(q.value for q in points if q.row == p.row) for p in points}
    rows = sorted(best, key=best.__getitem__)
    marks = ticks(low, high)
    parts = [f"<div class='grid' style='grid-row: 1 / span {len(rows)}'>"]
    parts += [f"<i style='left: {at(x)}'></i>" for x in marks] + ["</div>"]
    for k, row in enumerate(rows, 1):
        parts.append(f"<div class='name' style='grid-row: {k}'>{escape(row)}</div>")
        parts.append(f"<div class='track' style='grid-row: {k}'>")
        for p in points:
            if p.row == row:
                ends = f"left: {at(p.value - p.error)}; width: {2 * p.error / (high - low):.2%}"
                said = escape(f"{row}: {p.value:.2f}. {p.text}")
                fresh = " open" if p.fresh else ""
                parts.append(f"<i class='bar {p.how}' style='{ends}'></i>" if p.error else "")
                parts.append(
                    f"<i class='mark {p.how}{fresh}' style='left: {at(p.value)}' title='{said}'>"
                    "</i>"
                )
        parts.append("</div>")
    below = "".join(f"<span style='left: {at(x)}'>{_shown(x)}</span>" for x in marks)
    legend = "".join(
        f"<span><i class='mark {kind}'></i>{said}</span>"
        for kind, said in KINDS.items()
        if any(p.how == kind for p in points)
    )
    return (
        f"<div class='dots-legend'>{legend}</div><div class='dots'>{''.join(parts)}"
        f"<div class='axis'>{below}</div><div class='unit'>{escape(axis)}</div></div>"
    )


def ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten in [low, high], about TICKS of them."""
    raw = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * min((1, 2, 5, 10), key=lambda m: abs(math.log(m * power / raw)))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [k * step for k in range(first, last + 1)]


def _shown(x: float) -> str:
    return f"{x:.6g}".replace("-", "−")
