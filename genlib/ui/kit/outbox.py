"""What waits to be sent to a browser: the run of a fragment drops nothing that was written before.

Streamlit empties a session's queue whenever a run starts. Where a fragment runs again, it drops
what the fragment has written, but neither what stands for a message that the browser has already
(one of over 10 KB, a plot say: it names no fragment) nor what fragments inside it have written. The
browser is then told to put something behind a place that isn't there, and the whole page goes
blank. Here the browser gets all of it, as if it had been sent just before the run started.
"""

from __future__ import annotations

from streamlit.runtime import app_session
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue


class Outbox(ForwardMsgQueue):
    """A session's queue that the run of a fragment doesn't empty."""

    def clear(
        self,
        retain_lifecycle_msgs: bool = False,
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        """Drop what waits; before a fragment's run, only see to it that nothing new replaces it."""
        if retain_lifecycle_msgs and fragment_ids_this_run:
            self._delta_index_map = {}
        else:
            super().clear(retain_lifecycle_msgs, fragment_ids_this_run)


def install() -> None:
    """Give each session from now on such a queue; call once, when the server starts."""
    vars(app_session)["ForwardMsgQueue"] = Outbox
