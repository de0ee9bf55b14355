"""A job on a page: its button, and its progress and result while it is under way."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from genlib.limits import LimitError
from genlib.ui import guard, jobs, rights
from genlib.ui.plain import plain

POLL_S = 0.5


def start_button(name: str, key: str, label: str, work: Callable[[jobs.Job], object]) -> None:
    """Start the job of that name, or cancel it while it is under way."""
    job = jobs.find(name)
    if job is not None and job.busy:
        st.button("Cancel", icon=":material/stop:", key=f"{key}.cancel", on_click=job.cancel)
        return

    def begin() -> None:
        within_limits(lambda: jobs.restart(name, work, owner=guard.visitor()))

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

    before: what to say as long as there is no such job.
    """
    job = jobs.find(name)
    if job is None:
        st.info(before, icon=":material/play_arrow:")
        return
    busy = job.busy

    def look() -> None:
        if job.busy:
            waiting = "Waiting for a free core" if job.state == "waiting" else plain(job.text)
            st.progress(job.share, waiting or "Starting")
        elif busy:
            st.rerun()
        if job.state == "cancelled":
            st.caption(f"Cancelled at {job.share:.0%}.")
        if job.state == "failed":
            st.error(plain(job.error))
        if job.result is not None:
            show(job.result)

    st.fragment(run_every=POLL_S if busy else None)(look)()
