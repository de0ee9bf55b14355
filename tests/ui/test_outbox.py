"""What waits to be sent: a fragment's run drops nothing, a whole run what it draws again."""

from __future__ import annotations

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session
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


def test_sessions_get_it_once_it_is_installed() -> None:
    before = app_session.ForwardMsgQueue
    try:
        outbox.install()
        assert app_session.ForwardMsgQueue is outbox.Outbox
    finally:
        vars(app_session)["ForwardMsgQueue"] = before
