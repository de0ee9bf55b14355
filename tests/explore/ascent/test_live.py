"""An ascent that runs by itself: pausing, knobs, taking turns, leaving."""

from __future__ import annotations

import gc
import threading
import time

import numpy as np
import pytest

from genlib.background import Places
from genlib.explore.ascent.climb import Ascent, noise
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens
from genlib.explore.ascent.live import Live
from genlib.explore.attended import TURN_S
from tests.helpers import rng, until


def live_of(lens: Lens, pool: Places) -> Live:
    start = noise((1, 1, 28, 28), lens.mean, rng())
    return Live(Ascent(lens, start, (3,), Knobs(normalise=True), rng()), pool)


def test_it_runs_until_paused_and_goes_back_to_an_earlier_frame(lens: Lens) -> None:
    live = live_of(lens, Places(1))
    live.start()
    assert until(lambda: live.shown.step > 5)
    live.pause()
    step, image = live.shown.step, live.shown.images.copy()
    time.sleep(0.1)
    assert live.shown.step == step and np.array_equal(live.shown.images, image)
    live.step_once()
    assert live.shown.step == step + 1 and not live.running
    live.go_to(0)
    assert live.shown.step == 0
    expected = (live.original.clamp(0, 1) * 255).round().byte()
    assert np.array_equal(live.shown.images[0, ..., 0], expected[0, 0].numpy())


def test_knobs_and_target_change_while_it_runs_without_a_restart(lens: Lens) -> None:
    live = live_of(lens, Places(1))
    live.start()
    assert until(lambda: live.shown.step > 3)
    live.set_knobs(Knobs(normalise=True, lr=0.0))
    frozen, step = live.shown.images.copy(), live.shown.step
    live.retarget((8,))
    assert live.shown.classes == (8,) and until(lambda: live.shown.step > step + 3)
    assert live.running, "nothing stopped it"
    live.pause()
    assert np.array_equal(live.shown.images, frozen), "with lr 0 the picture stayed as it was"
    with pytest.raises(ValueError, match="jitter"):
        live.set_knobs(Knobs(jitter=-2))


def test_two_take_turns_by_themselves(lens: Lens, monkeypatch: pytest.MonkeyPatch) -> None:
    pool, climbing, at_once, advance = Places(1, TURN_S), [], [], Ascent.advance

    def watched(ascent: Ascent) -> None:
        climbing.append(ascent)
        at_once.append(len(climbing))
        advance(ascent)
        climbing.remove(ascent)

    monkeypatch.setattr(Ascent, "advance", watched)
    one, two = live_of(lens, pool), live_of(lens, pool)
    one.start()
    two.start()

    def both_at(step: int) -> bool:
        one.beat()
        two.beat()
        return min(one.shown.step, two.shown.step) >= step

    assert until(lambda: both_at(1))
    done = max(one.shown.step, two.shown.step)
    assert until(lambda: both_at(done + 1)), "more than one turn each"
    assert max(at_once) == 1, "one at a time"
    one.pause()
    two.pause()
    assert until(lambda: not any(t.name == "live" for t in threading.enumerate()))


def test_it_stops_when_the_browser_is_gone_and_resumes_when_it_is_back(
    lens: Lens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlib.explore.ascent.live.Live.gone_s", 0.2)
    live = live_of(lens, Places(1))
    live.start()
    assert until(lambda: not any(t.name == "live" for t in threading.enumerate()))
    step = live.shown.step
    assert step > 0 and live.running
    live.beat()
    assert until(lambda: live.shown.step > step)
    live.close()
    gc.collect()


def test_an_overflow_stops_it_with_a_sentence(lens: Lens) -> None:
    live = live_of(lens, Places(1))
    live.set_knobs(Knobs(lr=1e6, l2=1e3, clip=False))
    live.start()
    assert until(lambda: not live.running)
    assert "grew too large" in live.error and np.isfinite(live.shown.value[0])
    live.go_to(0)
    live.set_knobs(Knobs(normalise=True))
    live.step_once()
    assert not live.error and np.isfinite(live.shown.value[0])
