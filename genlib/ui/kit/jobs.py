"""Jobs (genlib/background.py) on a page: a button that starts one, its progress, its result.

``polled`` is the part of a page that asks again while work goes on.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from genlib import background
from genlib.background import Job
from genlib.environment import LimitError
from genlib.ui.kit import guard, rights
from genlib.ui.kit.plain import plain

POLL = 0.5  # seconds


def polled(
    key: str,
    part: Callable[..., bool],
    *given: object,
    every: float = POLL,
    busy: bool | None = None,
) -> None:
    """Show a part in a fragment that asks again as long as the part says that work goes on.

    busy: whether it does, where that is known before the part is drawn; else a page that is
    opened while work goes on runs twice.
    """
    if busy is not None:
        ended = bool(st.session_state.get(key, False)) and not busy
        st.session_state[key] = busy
        if ended and in_fragment():
            # The browser forgets to ask again only when the whole page runs. Until then each of its
            # questions can swallow a click.
            st.rerun()
    polling = bool(st.session_state.get(key, False))

    @st.fragment(key=key, run_every=every if polling else None)
    def live() -> None:
        rights.show_what_was_said()  # by a callback of this part: the router isn't run again
        goes_on = part(*given)
        if goes_on != polling:  # guarded by a change, so that it happens once
            st.session_state[key] = goes_on
            st.rerun()

    live()


def as_drawn(*keys: str) -> Callable[[], None]:
    """For a fragment that asks again by itself: puts back the values that widgets have now.

    It asks with the values that the browser knows. A busy browser may not have heard yet that a
    callback changed one, and would change it back. Where somebody changes one, the page runs.
    """
    drawn = {key: st.session_state[key] for key in keys if key in st.session_state}

    def put_back() -> None:
        for key, value in drawn.items():
            if st.session_state.get(key) != value:
                st.session_state[key] = value

    return put_back


def in_fragment() -> bool:
    """Whether only a fragment of the page runs."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and bool(context.fragment_ids_this_run)


def start_button(name: str, key: str, label: str, work: Callable[[Job], object]) -> None:
    """Start the job of that name, or cancel it while it is under way."""
    job = background.find(name)
    if job is not None and job.busy:
        st.button("Cancel", icon=":material/stop:", key=f"{key}.cancel", on_click=job.cancel)
        return

    def begin() -> None:
        within_limits(lambda: background.restart(name, work, owner=guard.visitor()))

    icon = ":material/play_arrow:"
    st.button(label, icon=icon, type="primary", key=f"{key}.go", on_click=begin)


def within_limits(start: Callable[[], object]) -> None:
    """Start a job from a callback; where a limit forbids it, say so on the page."""
    try:
        start()
    except LimitError as error:
        rights.say(str(error))


def watch(name: str, show: Callable[[object], None], before: str) -> None:
    """Progress and newest result of a job, looked at again and again while it is under way.

    before: what to say before such a job exists.
    """
    job = background.find(name)
    if job is None:
        st.info(before, icon=":material/play_arrow:")
        return

    def look() -> bool:
        busy = job.busy
        if busy:
            waiting = "Waiting for a free core" if job.state == "waiting" else plain(job.text)
            st.progress(job.share, waiting or "Starting")
        if job.state == "cancelled":
            st.caption(f"Cancelled at {job.share:.0%}.")
        if job.state == "failed":
            st.error(plain(job.error))
        if job.result is not None:
            show(job.result)
        return busy

    polled(f"{name}.watched", look, busy=job.busy)
