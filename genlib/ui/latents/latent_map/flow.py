"""How the latent map page moves: which epoch, which flat map, and a t-SNE on its way."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib import background
from genlib.background import HALF, Job, Places
from genlib.explore.projection import TSNE, Array, Frame, Linear
from genlib.store.checkpoint import Info
from genlib.ui.kit.plain import plain
from genlib.ui.latents.latent_map import data
from genlib.ui.latents.latent_map.data import Points

POLL_SECONDS = 0.3
# openTSNE leaves Python's lock while it computes. A finished map of 10,000 points holds its codes
# and neighbour lists, up to 40 MB.
PLACES = Places(HALF, kept=4)
LECTURE = (0, 5, 10)  # epochs that the lecture shows next to each other
DWELL_SECONDS = 1.2  # how long playing rests at an epoch
LOOKS = {
    "waiting": ":material/hourglass_top: waiting for a free processor core",
    "running": "t-SNE optimises",
    "done": "t-SNE finished",
}


@dataclass(frozen=True)
class Choice:
    """What the controls say: the model at its last epoch, all epochs, and how to flatten."""

    last: Info
    epochs: dict[int, Info]
    kind: str
    points: Points
    n: int
    perplexity: float
    seed: int


@dataclass(frozen=True)
class Flat:
    """A flat map: positions (n, 2), whether they are final, and how new codes are placed."""

    positions: Array
    key: str
    ready: bool
    place: Callable[[Array], Array] | None
    linear: Linear | None = None


@dataclass(frozen=True)
class Optimised:
    """A t-SNE as far as it is: its newest frame, and the optimiser, which places new codes."""

    frame: Frame
    tsne: TSNE


def choose_epoch(choice: Choice) -> int:
    """The slider through the training epochs, with a play button; at the last one at first."""
    numbers = list(choice.epochs)
    state = st.session_state
    if state.get("map.epoch") not in (None, *numbers):
        del state["map.epoch"]  # of another model
    if len(numbers) < 2:
        st.caption(
            f":material/timeline: This checkpoint holds epoch {numbers[-1]} only. Shipped models "
            "with snapshots (vae-20, ae-30, dae-500) can travel through their training."
        )
        return numbers[-1]
    ready = [epoch for epoch in numbers if at_once(choice, epoch) is not None]
    _step(ready)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    left, right = row.container(width="content"), row.container()
    playing = state.get("map.playing", False)
    left.button(
        "Stop" if playing else "Play",
        icon=":material/stop:" if playing else ":material/play_arrow:",
        key="map.play",
        on_click=_toggle_play,
        args=(ready,),
        disabled=len(ready) < 2,
        help="Play through the epochs whose maps are ready; nothing has to be computed."
        if len(ready) > 1
        else "No maps are ready for these settings. Choose epochs one by one (each map is computed "
        "once), or flatten by PCA.",
    )
    epoch = right.select_slider(
        "Training epoch",
        numbers,
        value=numbers[-1],
        key="map.epoch",
        bind="query-params",
        help="Passes over the training set; 0 is the untrained model. Each epoch's map starts "
        "from that of the last epoch and is turned onto it, so that points move rather than jump.",
    )
    return int(epoch)


def _toggle_play(ready: list[int]) -> None:
    state = st.session_state
    state["map.playing"] = not state.get("map.playing", False)
    now = state.get("map.epoch", ready[-1])
    if state["map.playing"] and (now >= ready[-1] or now not in ready):
        state["map.epoch"] = ready[0]
        state["map.ready"] = False  # of the epoch before
    state["map.step_at"] = time.monotonic() + DWELL_SECONDS


def _step(ready: list[int]) -> None:
    """While playing, go to the next epoch once the map of this one has been seen."""
    state = st.session_state
    if not state.get("map.playing"):
        return
    if not state.get("map.ready"):
        state["map.step_at"] = time.monotonic() + DWELL_SECONDS
        return
    if time.monotonic() < state["map.step_at"]:
        return
    after = [e for e in ready if e > state.get("map.epoch", max(ready, default=0))]
    state["map.playing"] = bool(after[1:])
    state["map.step_at"] = time.monotonic() + DWELL_SECONDS
    if after:
        state["map.epoch"] = after[0]


def at_once(choice: Choice, epoch: int) -> Flat | None:
    """The map of an epoch where nothing has to be optimised: a plane, or a t-SNE that comes with
    the model or has been computed before; else None."""
    info = choice.epochs[epoch]
    if choice.kind != "t-SNE":
        linear = data.linear_map(choice.kind, info, choice.last, choice.n)
        key = f"{choice.kind}:{info.stamp}:{choice.points.name}"
        return Flat(linear.positions, key, True, linear.place, linear)
    key = _key(choice, info)
    job = background.find(key)
    if job is not None and job.state == "done" and isinstance(job.result, Optimised):
        return Flat(job.result.frame.positions, key, True, job.result.tsne.place)
    how = (choice.perplexity, choice.seed)
    stored = data.stored_map(epoch, info, choice.last, choice.points, *how)
    return None if stored is None else Flat(stored.positions, key, True, None)


def flat_map(choice: Choice, epoch: int) -> Flat | None:
    """The map of an epoch as far as it is; draws progress and the cancel button for t-SNE."""
    info = choice.epochs[epoch]
    if choice.kind != "t-SNE":
        flat = at_once(choice, epoch)
        assert flat is not None and flat.linear is not None
        share = f"{100 * flat.linear.explained:.0f}% of the codes' variance lies in this plane"
        st.caption(f":material/square_foot: {share}.")
        return flat
    key = _key(choice, info)
    stopped: tuple[str, Optimised | None] | None = st.session_state.get("map.cancelled")
    if stopped is not None and stopped[0] == key:
        return _cancelled(key, stopped[1])
    job = _job(choice, epoch)
    _follow(job)
    if job.state == "failed":
        st.error(f"No map: {plain(job.error).rstrip('.')}.", icon=":material/error:")
        if not st.session_state.get("map.polling"):  # once the page has come to rest
            background.forget(job.name)  # the next look tries again
        return None
    _progress(job, key, aligned=info is not choice.last)
    done = job.state == "done"  # asked before its result, which is then the last
    made = _made(job, key)
    if made is None:
        return None
    return Flat(made.frame.positions, key, done, made.tsne.place if done else None)


def _made(job: Job, key: str) -> Optimised | None:
    """How far the map of that key is; None while the job is another's, that comes first."""
    return job.result if job.name == key and isinstance(job.result, Optimised) else None


def _key(choice: Choice, info: Info) -> str:
    anchor = "" if info is choice.last else choice.last.stamp
    settings = f"{choice.points.name}:{choice.perplexity}:{choice.seed}"
    return f"t-SNE {info.stamp}:{anchor}:{settings}"


def _job(choice: Choice, epoch: int) -> Job:
    """The job of this epoch's map; that of the last epoch's, to align with, until it is done."""
    info = choice.epochs[epoch]
    key, z = _key(choice, info), data.codes(info, choice.points)
    how = (choice.perplexity, choice.seed)
    finished = data.stored_map(epoch, info, choice.last, choice.points, *how)
    if finished is not None:
        placed = finished.positions
        return background.known(
            key, lambda: Optimised(finished, TSNE.settled(z, placed, *how)), PLACES
        )
    start = None
    if info is not choice.last:
        anchor = _job(choice, max(choice.epochs))
        if anchor.state != "done":
            return anchor
        assert isinstance(anchor.result, Optimised)
        start = anchor.result.frame.positions
    return background.request(
        key, lambda job: optimise(job, TSNE(z, *how, start)), PLACES, watcher=_who()
    )


def _who() -> str:
    """This session, among those that watch a job."""
    return str(st.session_state.setdefault("map.who", uuid.uuid4().hex))


def optimise(job: Job, tsne: TSNE) -> Optimised:
    """The work of such a job; its result grows with every frame."""
    for frame in tsne.frames():
        made = Optimised(frame, tsne)
        job.report(frame.iteration / frame.total, result=made)
    return made


def _follow(job: Job) -> None:
    """Leave the job that was looked at before, unless it is this one."""
    before: Job | None = st.session_state.get("map.job")
    if before is not None and before is not job:
        before.leave(_who())
    st.session_state["map.job"] = job


def _progress(job: Job, key: str, aligned: bool) -> None:
    """How far the t-SNE is; the row stays when it is done, so that the map does not jump."""
    what = "" if job.name == key else "First the last epoch's map, to align with: "
    text = f"{what}{LOOKS.get(job.state, job.state)}"
    now = job.result
    if isinstance(now, Optimised):
        frame = now.frame
        text += f" · iteration {frame.iteration} of {frame.total} · KL {frame.kl:.3f} nats"
    elif job.state == "running":
        text += " · finding each code's neighbours"
    if job.name == key:
        text += (
            " · aligned: starts from the last epoch's map"
            if aligned
            else " · independent of other epochs"
        )
    left, right = _row()
    left.progress(job.share, text=text)
    right.button(
        "Cancel",
        icon=":material/cancel:",
        key="map.cancel",
        on_click=_cancel,
        args=(job, key),
        disabled=not job.busy,
        help="Stop and keep the map as it is now. Others who watch the same map are not disturbed."
        if job.busy
        else "There is nothing to cancel: the map is finished.",
    )


def _row() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Room for a line of text and the button next to it."""
    row = st.container(horizontal=True, vertical_alignment="center")
    return row.container(), row.container(width="content")


def _cancel(job: Job, key: str) -> None:
    if not job.busy:
        return  # it was finished while the click was on its way
    st.session_state["map.cancelled"] = (key, _made(job, key))
    st.session_state["map.playing"] = False
    st.session_state.pop("map.job", None)  # gone already after the first of two quick clicks
    job.leave(_who())


def _cancelled(key: str, made: Optimised | None) -> Flat | None:
    left, right = _row()
    frame = made.frame if made else None
    where = f" at iteration {frame.iteration} of {frame.total}" if frame else ""
    left.caption(f":material/cancel: Cancelled{where}: the map is not finished.")
    right.button(
        "Resume",
        icon=":material/play_arrow:",
        key="map.resume",
        on_click=lambda: st.session_state.pop("map.cancelled", None),
        help="Continue while the map is in memory, or start again.",
    )
    return None if frame is None else Flat(frame.positions, key, False, None)


def three_epochs(choice: Choice) -> dict[int, Flat]:
    """The maps of epochs 0, 5 and 10, as in the lecture, or of the first, middle and last where a
    model has others; {} where not all of them are there at once."""
    numbers = list(choice.epochs)
    wanted = [e for e in LECTURE if e in numbers]
    if len(wanted) < len(LECTURE):
        wanted = sorted({numbers[0], numbers[len(numbers) // 2], numbers[-1]})
    found = {epoch: at_once(choice, epoch) for epoch in wanted}
    maps = {epoch: flat for epoch, flat in found.items() if flat is not None}
    return maps if len(maps) == len(LECTURE) else {}


def needs_polling(flat: Flat | None) -> bool:
    """Whether the page must look again by itself: a t-SNE is on its way, or epochs play."""
    state = st.session_state
    state["map.ready"] = flat is not None and flat.ready
    job: Job | None = state.get("map.job")
    waits = not state["map.ready"] and job is not None and job.busy
    return bool(waits or state.get("map.playing"))
