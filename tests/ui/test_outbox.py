"""What waits to be sent: a fragment's run drops nothing, a whole run what it draws again."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.forward_msg_cache import create_reference_msg

from genlib.ui.kit import outbox


def text(place: int, body: str, fragment: str = "") -> ForwardMsg:
    """A message that puts a text at a place of the page."""
    message = ForwardMsg(hash=body)
    message.metadata.delta_path[:] = [0, place]
    message.delta.new_element.markdown.body = body
    message.delta.fragment_id = fragment
    return message


def test_a_fragment_s_run_keeps_what_waits_and_its_order() -> None:
    waiting = outbox.Outbox()
    before = [text(0, "a", "f"), text(1, "b", "f"), create_reference_msg(text(2, "plot", "f"))]
    for message in before:
        waiting.enqueue(message)
    waiting.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["f"])
    after = text(0, "c", "f")
    waiting.enqueue(after)
    assert waiting.flush() == [*before, after]
    assert waiting.is_empty()


def test_a_whole_run_drops_what_it_will_draw_again() -> None:
    waiting = outbox.Outbox()
    ended = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    for message in (text(0, "a"), create_reference_msg(text(1, "plot")), ended):
        waiting.enqueue(message)
    waiting.clear(retain_lifecycle_msgs=True)
    (left,) = waiting.flush()
    assert left.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN


class Browser:
    """What a browser keeps of large messages: Streamlit's ForwardMessageCache."""

    def __init__(self, kept: int) -> None:
        self.kept, self.runs = kept, 0
        self.used: dict[str, int] = {}

    def take(self, message: ForwardMsg) -> None:
        """Raises LookupError where the server relies on what is no longer there."""
        if message.HasField("script_finished"):
            self.runs += 1
            self.used = {name: n for name, n in self.used.items() if self.runs - n <= self.kept}
        elif message.ref_hash and message.ref_hash not in self.used:
            raise LookupError(message.ref_hash)
        else:
            self.used[message.ref_hash or message.hash] = self.runs


def talk(kept: int, relied_on: Callable[[outbox.Outbox, list[str]], list[str]]) -> tuple[int, int]:
    """A browser asks 10,000 times, also before it has the answers: how often it had too little,
    and how often the server could rely on it."""
    rng = random.Random(0)
    waiting, browser = outbox.Outbox(), Browser(kept)
    on_the_way: deque[ForwardMsg] = deque()
    missing = relied = 0
    for _ in range(10_000):
        names = relied_on(waiting, list(browser.used))
        if rng.random() < 0.5:  # the run before ends only now
            on_the_way.extend(waiting.flush())
        plot = text(0, f"plot {rng.randrange(20)}")
        plot.metadata.cacheable = True
        relied += plot.hash in names
        waiting.enqueue(create_reference_msg(plot) if plot.hash in names else plot)
        waiting.enqueue(ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY))
        for _ in range(max(rng.randint(0, len(on_the_way)), len(on_the_way) - 6)):
            try:
                browser.take(on_the_way.popleft())
            except LookupError:
                missing += 1
    return missing, relied


def test_a_browser_has_all_that_the_server_relies_on() -> None:
    missing, relied = talk(outbox.KEPT, outbox.Outbox.still_there)
    assert not missing
    assert relied > 1000
    assert talk(2, lambda _, names: names)[0], "as Streamlit does it, the talk goes wrong"


def test_large_messages_are_sent_once_while_they_are_there() -> None:
    waiting, browser = outbox.Outbox(), Browser(outbox.KEPT)
    plot = text(0, "plot")
    plot.metadata.cacheable = True
    end = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    for message in (plot, end):
        waiting.enqueue(message)
    for message in waiting.flush():
        browser.take(message)
    assert waiting.still_there(browser.used) == ["plot"]
    assert not waiting.still_there(["plot of another session"])


def test_a_question_names_nothing_that_is_gone() -> None:
    asked = ClientState(cached_message_hashes=["gone"], query_string="a=1")
    outbox.forget_early(outbox.Outbox(), asked)
    assert asked == ClientState(query_string="a=1")
    outbox.forget_early(outbox.Outbox(), None)


def test_sessions_get_it_once_it_is_installed() -> None:
    before = app_session.ForwardMsgQueue, AppSession.request_rerun
    age = config.get_option("global.maxCachedMessageAge")
    try:
        outbox.install()
        assert app_session.ForwardMsgQueue is outbox.Outbox
        assert AppSession.request_rerun is not before[1]
        assert config.get_option("global.maxCachedMessageAge") == outbox.KEPT > outbox.RELIED_ON
    finally:
        vars(app_session)["ForwardMsgQueue"], AppSession.request_rerun = before
        config.set_option("global.maxCachedMessageAge", age)
