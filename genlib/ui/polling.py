"""A part of a page that asks again while work goes on, and rests when it does not."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from genlib.ui import rights

POLL = 0.5  # seconds


def polled(key: str, part: Callable[..., bool], *given: object) -> None:
    """Show a part in a fragment that asks again as long as the part says that work goes on."""
    polling = bool(st.session_state.get(key, False))

    @st.fragment(key=key, run_every=POLL if polling else None)
    def live() -> None:
        rights.show_what_was_said()  # by a callback of this part: the router isn't run again
        busy = part(*given)
        if busy != polling:  # guarded by a change, so that it happens once
            st.session_state[key] = busy
            st.rerun()

    live()
