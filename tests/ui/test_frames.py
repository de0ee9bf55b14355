"""The road of the frames: waiting costs no thread, an ascent can be gone, knobs are checked."""

from __future__ import annotations

import asyncio
import gc
import json
import struct
import threading
import time
from collections.abc import Coroutine

import numpy as np
import pytest
import torch
from starlette.applications import Starlette

from genlib.background import Places
from genlib.explore.ascent.climb import Ascent
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens, Network
from genlib.explore.ascent.live import Live
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.ui.components import film_packet, frames
from tests.helpers import rng
from tests.ui.asgi import Answer, request


async def call(path: str, query: str = "", body: bytes | None = None) -> Answer:
    """One request to the routes."""
    app = Starlette(routes=list(frames.routes()))
    return await request(app, "GET" if body is None else "POST", f"{path}?{query}", {}, body)


def ask(path: str, query: str = "", body: bytes | None = None) -> Answer:
    return asyncio.run(call(path, query, body))


def values_of(packet: bytes) -> dict[str, object]:
    (size,) = struct.unpack("<I", packet[:4])
    return dict(json.loads(packet[4 : 4 + size])["values"])


@pytest.fixture(scope="module")
def lens() -> Lens:
    torch.manual_seed(0)
    model = Classifier(ClassifierSettings(width=2, dense=4)).eval().requires_grad_(False)
    network = Network("t", "T", model, tuple("0123456789"), (1, 28, 28), smallest=12)
    return Lens(network, torch.device("cpu"), torch.float32)


def live_of(lens: Lens, places: int = 1) -> Live:
    start = torch.rand((2, 1, 28, 28), generator=rng())
    ascent = Ascent(lens, start, (3, 8), Knobs(normalise=True), torch.Generator())
    return Live(ascent, Places(places))


def test_a_frame_is_the_picture_shown(lens: Lens) -> None:
    live = live_of(lens)
    answer = ask(f"/{frames.address(live)}", "after=-1&curves=1&strip=")
    assert answer.status == 200 and answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-encoding"] == "identity", "gzip leaves it alone"
    values = values_of(answer.body)
    assert values["labels"] == ["3", "8"] and values["step"] == 0 and values["running"] is False
    (size,) = struct.unpack("<I", answer.body[:4])
    pixels = np.frombuffer(answer.body, np.uint8, 2 * 28 * 28, 4 + size)
    assert np.array_equal(pixels, live.shown.images.ravel())
    names = [name for name, _, _ in json.loads(answer.body[4 : 4 + size])["parts"]]
    assert names == ["frame", "steps", "table", "atlas"]
    known = f"strip={live.epoch}.{live.film.version}&before={live.epoch}"
    again = ask(f"/lab/genlib/{frames.address(live)}", f"after={live.version}&{known}")
    assert again.status == 200, "also under a base path"
    assert "strip" not in values_of(again.body) and "before" not in values_of(again.body)


def test_the_address_cannot_be_guessed_and_ends_with_the_ascent(lens: Lens) -> None:
    live, other = live_of(lens), live_of(lens)
    address = frames.address(live)
    assert frames.address(live) == address != frames.address(other)
    assert len(address) > len("frames/") + 30
    assert ask("/frames/wrong").status == 404
    assert ask(f"/{address}", "after=x").status == 400
    del live
    gc.collect()
    assert ask(f"/{address}").status == 404
    assert ask(f"/{address}", body=b"{}").status == 404


def test_the_number_of_ascents_that_can_be_asked_for_is_bounded(
    lens: Lens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MOST", 2)
    lives = [live_of(lens) for _ in range(4)]
    addresses = [frames.address(live) for live in lives]
    assert [ask(f"/{address}").status for address in addresses] == [404, 404, 200, 200]
    assert frames.address(lives[0]) == addresses[0] and ask(f"/{addresses[0]}").status == 200
    assert frames.address(lives[3]) == addresses[3]  # its page runs again, the other's doesn't
    assert frames.address(lives[1]) == addresses[1]
    assert [ask(f"/{address}").status for address in addresses] == [404, 200, 404, 200]


def test_thirty_that_wait_hold_no_thread_and_all_hear_of_the_next_frame(lens: Lens) -> None:
    live = live_of(lens, places=0)
    path, query = f"/{frames.address(live)}", f"after={live.version}"

    async def thirty() -> list[Answer]:
        live.running = True  # wanted, but no thread of its own: nothing comes by itself
        waiting: list[Coroutine[object, object, Answer]] = [call(path, query) for _ in range(30)]
        tasks = [asyncio.ensure_future(w) for w in waiting]
        before = threading.active_count()
        await asyncio.sleep(0.1)
        # A thread that an earlier test left may end meanwhile.
        assert not any(task.done() for task in tasks) and threading.active_count() <= before
        live.step_once()
        return await asyncio.gather(*tasks)

    answers = asyncio.run(thirty())
    assert {values_of(a.body)["step"] for a in answers} <= {0, 1}
    assert all(int(str(values_of(a.body)["version"])) > 1 for a in answers)
    assert not live.listeners, "no one is left behind"


@pytest.mark.parametrize("ahead", [0, 1, 10**30, -(10**30), -7])
def test_a_number_that_is_no_earlier_version_waits_for_the_next_frame(
    lens: Lens, ahead: int
) -> None:
    """Answered at once, a page that asks so would ask thousands of times a second."""
    live = live_of(lens, places=0)
    after = ahead if ahead < 0 else live.version + ahead

    async def one() -> Answer:
        live.running = True
        task = asyncio.ensure_future(call(f"/{frames.address(live)}", f"after={after}"))
        await asyncio.sleep(0.05)
        assert not task.done()
        live.step_once()
        return await task

    assert int(str(values_of(asyncio.run(one()).body)["version"])) == live.version


def test_a_page_that_has_an_earlier_frame_or_none_is_answered_at_once(lens: Lens) -> None:
    live = live_of(lens, places=0)
    live.step_once()
    live.running = True
    for after in (-1, *range(live.version)):
        assert ask(f"/{frames.address(live)}", f"after={after}").status == 200
    assert not live.listeners


class Gated(Ascent):
    """An ascent of a class 3 whose steps begin, then wait until they are let through."""

    def __init__(self, lens: Lens) -> None:
        self.begun, self.let = threading.Event(), threading.Event()
        start = torch.rand((1, 1, 28, 28), generator=rng())
        super().__init__(lens, start, (3,), Knobs(normalise=True), torch.Generator())

    def advance(self) -> None:
        self.begun.set()
        assert self.let.wait(30)
        super().advance()


def begin_to_pause(live: Live) -> threading.Thread:
    """Pause in another thread, which waits for what holds the ascent's lock."""
    pausing = threading.Thread(target=live.pause)
    pausing.start()
    while live.running:
        time.sleep(0.001)
    return pausing


def test_a_film_says_that_it_stopped_only_once_its_last_frame_has_come(lens: Lens) -> None:
    """A frame that comes after "paused" would change a picture that counts as frozen."""
    gated = Gated(lens)
    live = Live(gated, Places(1))
    path = f"/{frames.address(live)}"
    live.start()
    assert gated.begun.wait(30)
    pausing = begin_to_pause(live)
    values = values_of(ask(path).body)
    assert (values["running"], values["state"], values["step"]) == (True, "Climbing", 0)
    gated.let.set()
    while values["running"]:
        values = values_of(ask(path, f"after={values['version']}").body)
    assert (values["state"], values["step"]) == ("Paused", 1)
    pausing.join(30)
    last = values_of(ask(path).body)
    assert (last["running"], last["step"], gated.step) == (False, 1, 1)


def test_a_pause_between_two_frames_lets_no_further_step_through(lens: Lens) -> None:
    wants = threading.Event()

    class Watched(Live):
        def wanted(self) -> bool:
            answer = super().wanted()
            if threading.current_thread().name == "watched":
                wants.set()
            return answer

    gated = Gated(lens)
    live = Watched(gated, Places(1))
    with live.lock:  # the ascent's thread waits for it, having found that it is wanted
        live.start()
        assert wants.wait(30)
        pausing = begin_to_pause(live)
    pausing.join(30)
    while any(t.name == "watched" for t in threading.enumerate()):
        assert not gated.begun.is_set(), "no step begins after a pause"
        time.sleep(0.001)


def test_knobs_come_by_post_and_bad_ones_change_nothing(lens: Lens) -> None:
    live = live_of(lens)
    path = f"/{frames.address(live)}"
    assert ask(path, body=b'{"lr": 0.25, "jitter": 3.0}').status == 204
    assert (live.knobs.lr, live.knobs.jitter) == (0.25, 3)
    bad = (
        b'{"lr": -1}',
        b'{"lr": NaN}',
        b'{"jitter": 1e999}',
        b'{"octaves": 2}',
        b"[1]",
        b"{",
        b"",
    )
    nested = (b"[" * 1024, b'{"lr":' * 170, b'{"lr": ' + b"[" * 500 + b"]" * 500 + b"}")
    for body in (*bad, *nested, b'{"lr": "x"}', b'{"lr": [1]}', b'{"lr": null}'):
        answer = ask(path, body=body)
        assert answer.status == 422 and answer.body, body
    assert ask(path, body=b" " * 5000).status == 413
    assert (live.knobs.lr, live.knobs.jitter) == (0.25, 3)


def test_a_dead_unit_and_an_error_are_told(lens: Lens) -> None:
    live = live_of(lens)
    assert film_packet.alert(live) == "" and film_packet.state_of(live) == "Ready"
    live.error = "It broke."
    assert film_packet.alert(live) == "It broke."
    live.step_once()
    assert film_packet.state_of(live) == "Paused"
