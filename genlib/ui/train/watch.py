"""One run on screen: numbers, curves and pictures that follow the training process.

Everything is read from the run's directory, so that a refresh, another page or a restarted app
shows the same. A fragment polls while the process works, and only then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from genlib.files import end_of
from genlib.models import FAMILIES
from genlib.models.capabilities import capabilities
from genlib.runs import clusters, launch, queue
from genlib.runs.directory import ACTIVE, Run
from genlib.runs.events import Log
from genlib.settings import Event
from genlib.ui.kit import images
from genlib.ui.kit.jobs import as_drawn
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import presenting
from genlib.ui.train import actions, curves

LOG_END = 20_000  # bytes at the end of log.txt that may be shown
POLL = 0.75  # seconds between two looks at the directory
COLUMNS = 8  # of the preview
CELL = 380  # CSS pixels of a cell; a narrower window stacks curves and pictures

BADGES = {
    "queued": ("gray", "hourglass_empty"),
    "running": ("blue", "play_arrow"),
    "paused": ("orange", "pause"),
    "stopped": ("gray", "stop"),
    "finished": ("green", "check"),
    "failed": ("red", "error"),
    "lost": ("red", "link_off"),
}


def show(run: Run, controls: DeltaGenerator, picture: DeltaGenerator) -> None:
    """Draw the run, live while it trains or waits: its progress, and what can be set of it."""
    live = run.state in (*ACTIVE, "queued")
    every = POLL if live else None
    put_back = as_drawn("train.show")  # which Start has set
    with picture:
        st.fragment(run_every=every, key="run_view")(follow)(run.path.name, live, put_back)
    with controls:
        st.fragment(run_every=every, key="run_settings")(adjust)(run.path.name, run.name)


def adjust(run_id: str, name: str) -> None:
    """A run's numbers, its learning rate, its name, and where to open it."""
    run = queue.get(run_id)
    if run is None:  # deleted here or elsewhere: as in ``follow``
        actions.say_gone(run_id)
        st.rerun()
    if run.name != name:
        st.rerun()  # it stands in the stage as well
    state = run.state
    _numbers(run, diary(run))
    actions.learning_rate(run, state)
    if run.model or state not in (*ACTIVE, "queued"):
        actions.keep(run, state)


def follow(run_id: str, live: bool, put_back: Callable[[], None]) -> None:
    """A run's progress, curves and pictures, and the buttons that steer it."""
    put_back()
    run = queue.get(run_id)
    if run is None:  # deleted: the page offers Undo, or says so, and shows another one
        actions.say_gone(run_id)
        st.rerun()
    if live:
        queue.advance()  # should its turn have come while nothing else was looking
    state = run.state
    if live != (state in (*ACTIVE, "queued")):
        st.rerun()  # once: the page then draws it again, and the polling ends, or begins (Resume)
    records = diary(run)
    _head(run, state)
    actions.steer(run, state)
    _progress(run, state, records)
    _explain(run, state)
    if presenting():  # two halves of the screen, however wide it is
        left, right = st.columns(2, gap="medium")
    else:
        with st.grid(min_column_width=CELL, gap="small"):
            left, right = st.container(), st.container()
    with left:
        curves.show(records, run.spec)
    with right:
        _pictures(run, live)


def diary(run: Run) -> list[Event]:
    """The run's records so far; only what was added since the last look is read."""
    return _event_log(str(run.path / "events.jsonl")).records()


@st.cache_resource(max_entries=64, show_spinner=False)
def _event_log(path: str) -> Log:
    return Log(Path(path))


def badge(state: str) -> None:
    """The state of a run as a coloured badge."""
    color, icon = BADGES[state]
    st.badge(state, icon=f":material/{icon}:", color=color)  # type: ignore[arg-type]


def _head(run: Run, state: str) -> None:
    spec = run.spec
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(plain(run.name), anchor=False, width="content")
        badge(state)
        about = f"{spec.family.replace('_', ' ')} on {spec.dataset}"
        about += f", recipe {spec.recipe}" if spec.recipe else ""
        st.caption(f"{plain(about)}, started {when(spec.created)}", width="content")


def _last(records: list[Event]) -> Event | None:
    return next((r for r in reversed(records) if r.metrics), None)


def _progress(run: Run, state: str, records: list[Event]) -> None:
    last = _last(records)
    if last is None:
        st.progress(0.0, text="Starting …" if state == "running" else "No step yet.")
        return
    m = last.metrics
    epochs = int(str(run.spec.train["epochs"]))
    share = min(1.0, last.step / max(m.get("steps", last.step), 1))
    text = f"{share:.0%} · {duration(m.get('seconds', 0))} of training"
    if state in ACTIVE and last.epoch < epochs:
        within = max(0.0, share * epochs - last.epoch)
        text = f"Epoch {last.epoch + 1} of {epochs} ({within:.0%}) · {text}"
        text += f" · {duration(m.get('seconds_left', 0))} left"
    st.progress(share, text=text)


def _numbers(run: Run, records: list[Event]) -> None:
    last = _last(records)
    m = {} if last is None else last.metrics
    tests = [r.metrics["test/loss"] for r in records if "test/loss" in r.metrics]
    epochs = int(str(run.spec.train["epochs"]))
    done = 0 if last is None else last.epoch
    shown = {
        "Epochs": (f"{done} / {epochs}", "Complete passes over the training images."),
        "Images/s": (_number(m, "images_per_s", ",.0f"), "Mean since the start."),
        "Rate": (_number(m, "lr", ".3g"), "Learning rate of the last step."),
        "Test loss": (
            f"{tests[-1]:.4g}" if tests else "–",
            "On all test images, after the last complete epoch. Unit: "
            f"{curves.unit(run.spec, 'loss') or 'unknown'}.",
        ),
    }
    with st.container(horizontal=True, gap="medium"):
        for name, (value, text) in shown.items():
            st.metric(name, value, help=text, width="content")


def _number(metrics: Mapping[str, float], name: str, form: str) -> str:
    return format(metrics[name], form) if name in metrics else "–"


def duration(seconds: float) -> str:
    """Seconds as a person reads them: "42 s", "3 min 05 s", "2 h 10 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _explain(run: Run, state: str) -> None:
    """What a person cannot see from the badge alone."""
    told: dict[str, Callable[[], object]] = {
        "queued": lambda: st.info(plain(_waiting(run)), icon=":material/hourglass_empty:"),
        "paused": lambda: st.info(
            "Paused. The process keeps its memory and waits.", icon=":material/pause:"
        ),
        "failed": lambda: st.error(
            plain(run.message) or "Training failed.", icon=":material/error:"
        ),
        "lost": lambda: st.warning(
            "The training process ended unexpectedly: it was killed, ran out of memory, or the "
            "computer was switched off. Resume continues from the last complete epoch.",
            icon=":material/link_off:",
        ),
    }
    if state in told:
        told[state]()
    if run.message and state != "failed":
        st.warning(plain(run.message), icon=":material/healing:")
    if state in ("failed", "lost"):
        with st.expander("Last lines of its log", icon=":material/description:"):
            st.code(_log(run), language=None)


def _waiting(run: Run) -> str:
    where = launch.remembered(run).launcher
    if where != launch.HERE:
        wait = f"Waiting for {launch.LAUNCHERS[where]}. It starts automatically."
        return " ".join(filter(None, (wait, clusters.trouble(run))))
    names = ", ".join(other.name for other in queue.listing() if other.alive) or "another run"
    place, total = queue.place(run), len(queue.queue())
    return f"Waiting for {names}: place {place} of {total} in the queue. It starts automatically."


def _log(run: Run, lines: int = 25) -> str:
    try:
        text = end_of(run.path / "log.txt", LOG_END)
    except OSError:
        return "No log was written."
    return "\n".join(text.splitlines()[-lines:]) or "The log is empty."


# ------------------------------------------------------------------------------- pictures


def _pictures(run: Run, live: bool) -> None:
    found = dict(run.previews())
    if not found:
        with st.container(border=True, height=240):
            st.caption("Images appear after the first epoch.")
        return
    epochs = list(found)
    shown = epochs[-1]
    if not live and len(epochs) > 1:
        shown = st.select_slider(
            "Epoch",
            epochs,
            epochs[-1],
            key=f"run_view.epoch.{run.id}",
            help="Go back in the training. 0 is the untrained model.",
        )
    preview = images.stored(found[shown])
    if preview is None:
        st.caption(f"The pictures of epoch {shown} can't be read.")
        return
    family = run.spec.family
    paired = family in FAMILIES and "Reconstructs" in capabilities(family)
    grid = arrange(preview, paired)
    what = "Test images, and below each row its reconstructions" if paired else "Samples"
    text = "" if paired else " with the same noise"
    caption = f"{what}{text}, epoch {shown}"
    st.image(images.data_url(grid), caption, width="stretch", alt=caption)


def arrange(preview: NDArray[np.uint8], paired: bool) -> NDArray[np.uint8]:
    """A preview (N, C, H, W) as one picture; ``paired``: the second half reconstructs the first.

    ::

        samples              test pictures x and their reconstructions
        s s s s s s s s      x  x  x  x  x  x  x  x
        s s s s s s s s      x^ x^ x^ x^ x^ x^ x^ x^
                             x  x  ...
    """
    if not paired or len(preview) < 2:
        return images.grid_image(preview, COLUMNS)
    n = len(preview) // 2
    columns = min(n, COLUMNS)
    empty = np.full((-n % columns, *preview.shape[1:]), 128, np.uint8)  # fills the last row
    halves = [np.concatenate([half, empty]) for half in (preview[:n], preview[n:])]
    rows = np.stack([half.reshape(-1, columns, *preview.shape[1:]) for half in halves], 1)
    return images.grid_image(rows.reshape(-1, *preview.shape[1:]), columns)


def when(stamp: float) -> str:
    """A time as text, in the clock of the server."""
    return time.strftime("%b %d, %H:%M", time.localtime(stamp))
