"""What waits to be sent to a browser, and what it has already: both also where answers are late.

Streamlit empties a session's queue whenever a run starts. Where a fragment runs again, it drops
what the fragment has written, but neither what stands for a message that the browser has already
(one of over 10 KB, a plot say: it names no fragment) nor what fragments inside it have written. The
browser is then told to put something behind a place that isn't there, and the whole page goes
blank. Here the browser gets all of it, as if it had been sent just before the run started.

A browser says with each question which large messages it has, and the server sends only their names
again. But it forgets those that it has not used for some runs, and the answers that come before
this one may be the last of these runs. It then closes the connection for good ("Cached ForwardMsg
MISS"). Here it keeps them for longer than the server relies on it.
"""

from __future__ import annotations

from collections.abc import Iterable

from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

KEPT = 20  # runs that a browser keeps a large message for after its last use; Streamlit has 2
# Of these, the ones that the server counts on. Between a browser's question and the answer, few
# runs can end: the one under way, and those by which it or a page starts itself again.
RELIED_ON = 10


class Outbox(ForwardMsgQueue):
    """A session's queue that the run of a fragment doesn't empty."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = 0  # runs whose end was sent
        self._used: dict[str, int] = {}  # how many had ended when a large message was last sent

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

    def flush(self) -> list[ForwardMsg]:
        """What is to be sent now, in order."""
        messages = super().flush()
        for message in messages:
            self._ended += message.HasField("script_finished")
            name = message.ref_hash or (message.hash if message.metadata.cacheable else "")
            if name:
                self._used[name] = self._ended
        return messages

    def still_there(self, names: Iterable[str]) -> list[str]:
        """Of the large messages that a browser says it has, those that it won't forget soon."""
        ended = self._ended + sum(message.HasField("script_finished") for message in self._queue)
        self._used = {name: n for name, n in self._used.items() if ended - n <= RELIED_ON}
        return [name for name in names if name in self._used]


def forget_early(waiting: ForwardMsgQueue, asked: ClientState | None) -> None:
    """Take out of a browser's question what it says that it has and may forget soon."""
    if asked and isinstance(waiting, Outbox):
        asked.cached_message_hashes[:] = waiting.still_there(asked.cached_message_hashes)


_request = AppSession.request_rerun


def _request_rerun(self: AppSession, client_state: ClientState | None) -> None:
    forget_early(self._browser_queue, client_state)
    _request(self, client_state)


def install() -> None:
    """Give each session from now on such a queue; call once, when the server starts."""
    vars(app_session)["ForwardMsgQueue"] = Outbox
    AppSession.request_rerun = _request_rerun  # type: ignore[method-assign]
    config.set_option("global.maxCachedMessageAge", KEPT)
