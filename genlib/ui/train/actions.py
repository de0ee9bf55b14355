"""What one can do with a run: steer it while it trains, keep or throw away what came out.

Which pages can show a model, and the link that opens it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec

import streamlit as st

from genlib.runs import queue
from genlib.runs.directory import ACTIVE, LR_RANGE, RESUMABLE, Run
from genlib.store.checkpoint import CheckpointError, Info, peek
from genlib.ui.kit import guard, likelihoods, loading, rights
from genlib.ui.kit.pickers import download
from genlib.ui.kit.plain import plain
from genlib.ui.menu import PAGES, Page

WATCHED = "train.run"  # the id of the run that the Train page shows
DELETED = "runs.deleted"  # what was deleted last: its id, its name, whether it was watched
SAID = "runs.said"

P = ParamSpec("P")


def title(run: Run) -> str:
    """A run's name, with its id where the two differ: "my best (vae-3)"."""
    return run.id if run.name == run.id else f"{run.name} ({run.id})"


def _say(text: str) -> None:
    """Keep a sentence until the next drawing: a callback in a fragment must not draw anything."""
    st.session_state[SAID] = text


def _told(callback: Callable[Concatenate[Run, P], None]) -> Callable[Concatenate[Run, P], None]:
    """A callback for a run, whose errors are shown in their own words: a full disk, another session
    that was faster."""

    @wraps(callback)
    def told(run: Run, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(run, *args, **kwargs)
        except FileNotFoundError:
            say_gone(run.id)
        except (ValueError, OSError) as error:
            _say(str(error))

    return told


def say_gone(run_id: str) -> None:
    """Keep the sentence that a run was deleted, unless it was this session: it is offered Undo."""
    if st.session_state.get(DELETED, ("", ""))[0] != run_id:
        _say(f"{run_id} was deleted. It can be restored on the Runs page.")


def say_what_happened() -> None:
    """Show what a callback had to say, once."""
    if text := st.session_state.pop(SAID, ""):
        st.toast(plain(text), icon=":material/info:")


def steer(run: Run, state: str) -> None:
    """Pause, stop and resume; what cannot be done now is grey and says why."""
    say_what_happened()
    if not rights.may_change():
        return
    with st.container(horizontal=True, gap="small", key="run.steer"):
        _pause(run, state)
        working = state in (*ACTIVE, "queued")
        st.button(
            "Stop",
            icon=":material/stop:",
            key="run.stop",
            disabled=not working,
            help="Stops after the current step. Resume continues from the last complete epoch."
            if working
            else f"The run is {state} already.",
            on_click=_stop,
            args=(run,),
        )
        can = state in RESUMABLE
        st.button(
            "Resume",
            icon=":material/restart_alt:",
            key="run.resume",
            disabled=not can,
            help="Continues from the last complete epoch, with the optimizer's state."
            if can
            else f"Only an interrupted run can be resumed. This one is {state}.",
            on_click=_resume,
            args=(run,),
        )


def _pause(run: Run, state: str) -> None:
    paused = state == "paused"
    can = state in ACTIVE
    st.button(
        "Continue" if paused else "Pause",
        icon=":material/play_arrow:" if paused else ":material/pause:",
        key="run.pause",
        disabled=not can,
        help="Pauses after the current step." if can else f"The run is {state}, so it can't pause.",
        on_click=_proceed if paused else _hold,
        args=(run,),
    )


@rights.needed
@_told
def _stop(run: Run) -> None:
    queue.stop(run)


@rights.needed
@_told
def _hold(run: Run) -> None:
    queue.pause(run)


@rights.needed
@_told
def _proceed(run: Run) -> None:
    queue.proceed(run)


def learning_rate(run: Run, state: str) -> None:
    """The learning rate, which a run at work takes up at once and an interrupted one on Resume."""
    if not rights.may_change():
        return
    lr = run.control.lr or float(str(run.spec.train["lr"]))
    low, high = LR_RANGE
    key = f"run.lr.{run.id}"
    waits = state in RESUMABLE
    can = waits or state in (*ACTIVE, "queued")
    when = "when the run is resumed" if waits else "at the next step"
    st.number_input(
        "Learning rate",
        low,
        high,
        lr,
        lr / 10,
        format="%g",
        key=key,
        disabled=not can,
        help=f"Takes effect {when}. A schedule (cosine, onecycle) scales with it."
        if can
        else f"The run is {state}, so nothing is learning.",
        on_change=_set_lr,
        args=(run, key),
    )


@rights.needed
@_told
def _set_lr(run: Run, key: str) -> None:
    value = st.session_state[key]
    if value is not None:
        queue.set_lr(run, float(value))


@rights.needed
@_told
def _resume(run: Run) -> None:
    queue.resume_run(run, guard.owner())


def keep(run: Run, state: str) -> None:
    """Name, open elsewhere, download, delete."""
    _open(run)
    if not rights.may_change():
        _download(run)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        key = f"run.name.{run.id}"
        st.text_input(
            "Name",
            run.name,
            max_chars=60,
            key=key,
            width=260,
            help="The model's name on the other pages. The link of this run stays the same.",
            on_change=_rename,
            args=(run, key),
        )
        _download(run)
        busy = state in ACTIVE
        st.button(
            "Delete",
            icon=":material/delete:",
            key="run.delete",
            disabled=busy,
            help="Stop it first." if busy else "Can be undone.",
            on_click=delete,
            args=(run,),
        )


def _open(run: Run) -> None:
    model = run.model
    if model is None:
        return
    try:
        info = peek(model)
    except CheckpointError as error:
        st.warning(plain(str(error)))
        return
    # As the pickers know it: with its origin in its name.
    known = (i for i in loading.checkpoints() if i.path == model)
    links(next(known, replace(info, name=loading.public_name(info))))


def _download(run: Run) -> None:
    model = run.model
    download(
        "Download",
        model.read_bytes if model else b"",
        f"{run.name.replace('/', '_')}.safetensors",
        "The checkpoint of the last complete epoch. It can be uploaded in any genlib."
        if model
        else "No epoch is complete yet.",
        key="run.download",
        disabled=model is None,
    )


@rights.needed
@_told
def _rename(run: Run, key: str) -> None:
    queue.rename(run, st.session_state[key])


@rights.needed
@_told
def delete(run: Run) -> None:
    """Delete the run and offer to undo it; for callbacks."""
    name, watched = run.name, st.session_state.get(WATCHED) == run.id
    queue.delete(run)
    st.session_state[DELETED] = (run.id, name, watched)


def offer_undo() -> None:
    """One line with an Undo button after a deletion in this session."""
    say_what_happened()
    deleted = st.session_state.get(DELETED)
    if deleted is None or not rights.may_change():
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f":material/delete: {plain(deleted[1])} was deleted.", width="content")
        st.button("Undo", icon=":material/undo:", key="run.undo", on_click=undo)


@rights.needed
def undo() -> None:
    """Bring the run back that was deleted last; for callbacks."""
    if DELETED in st.session_state:  # else this is the second click of a double click
        run_id, _, watched = st.session_state[DELETED]
        restore(run_id)
        if watched:  # not the run that was shown in its place
            st.session_state[WATCHED] = run_id


@rights.needed
def restore(run_id: str) -> None:
    """Bring a run back from the trash; for callbacks."""
    if st.session_state.get(DELETED, ("", ""))[0] == run_id:
        st.session_state.pop(DELETED)
    try:
        queue.undo_delete(run_id)
    except (ValueError, OSError) as error:
        _say(str(error))


def places(info: Info) -> list[tuple[Page, str]]:
    """The pages that can show a model, in the order of the menu, and their parameters for it."""
    return [
        (page, parameter)
        for page in PAGES
        for parameter, shows in page.models.items()
        if shows(info)
    ]


def query(page: Page, parameter: str, info: Info) -> dict[str, str]:
    """The query parameters that choose a model, ``info`` as in ``loading.checkpoints``."""
    found = {parameter: info.name} if parameter else {}
    if page.images:
        found[page.images] = likelihoods.images_of(info)
    return found


def links(info: Info) -> None:
    """One link for each page that can show a model, ``info`` as in ``loading.checkpoints``."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Open it in", width="content")
        for page, parameter in places(info):
            st.page_link(
                page.file,
                label=page.title,
                icon=page.icon,
                query_params=query(page, parameter, info),
            )
