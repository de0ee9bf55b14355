"""The film of an ascent: one canvas for the newest frame, its curves, and a filmstrip.

Frames have their own route (genlib/ui/components/frames.py): while it climbs, the browser fetches
and draws them without a single rerun. The page hears of it only when something stops or is clicked.
"""

from __future__ import annotations

from collections.abc import Sequence

from genlib.explore.ascent.live import Live
from genlib.ui.components import frames
from genlib.ui.kit.web import component, keep, said

PANELS = ("Objective", "Probability", "Gradient norm")


def film(
    key: str,
    live: Live,
    captions: bool = True,
    compare: bool = False,
    panels: Sequence[str] = PANELS,
) -> None:
    """Show an ascent; call it inside a fragment, which reruns when it stops or goes back.

    captions: class and probability under each picture; compare: a handle that uncovers the
    original (one picture only); panels: titles of the curves.
    """

    def go() -> None:
        asked = said(key, "go")
        if isinstance(asked, dict) and isinstance(step := asked.get("step"), int):
            live.pause()
            steps = [kept.step for kept in live.film.frames]
            # The film may have been thinned out since its strip was drawn: take the nearest.
            live.go_to(min(range(len(steps)), key=lambda i: abs(steps[i] - step)))

    data: dict[str, object] = {
        "address": frames.address(live),
        "captions": captions,
        "compare": compare and len(live.shown.classes) == 1,
        "panels": list(panels),
        "running": live.running,
        "version": live.version,  # the browser is called only when data change
    }
    component("film")(key=key, data=data, on_go_change=go, on_stopped_change=keep)
