"""Training by hand: one side at a time, on a copy, while somebody looks."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
import torch

from genlib.background import Places
from genlib.explore import duel
from genlib.explore.attended import TURN_S
from genlib.explore.duel import Duel
from genlib.models.gan import MLPGAN, MLPGANSettings
from genlib.models.vae import VAE, VAESettings
from tests.helpers import rng, until


@pytest.fixture
def model() -> MLPGAN:
    torch.manual_seed(0)
    return MLPGAN(MLPGANSettings(latent_dim=3, hidden=(8,), image_size=4)).eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(0, 256, (200, 1, 4, 4), generator=rng()).byte()


def weights(one: Duel) -> tuple[list[float], list[float]]:
    halves = (one.model.generator, one.model.discriminator)
    g, d = ([float(p.detach().sum()) for p in half.parameters()] for half in halves)
    return g, d


def test_each_button_trains_its_own_side(model: MLPGAN, images: torch.Tensor) -> None:
    one = Duel(model, images, batch=16)
    g, d = weights(one)
    one.step_once("d")
    assert weights(one)[0] == g and weights(one)[1] != d
    d = weights(one)[1]
    one.step_once("g")
    assert weights(one)[0] != g and weights(one)[1] == d
    assert (one.trace[-1].d_steps, one.trace[-1].g_steps) == (1, 1)


def test_the_model_given_stays_as_it_is(model: MLPGAN, images: torch.Tensor) -> None:
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model.requires_grad_(False)
    one = Duel(model, images, batch=16)
    one.step_once("both")
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not any(p.requires_grad for p in model.parameters()) and not model.training


def test_training_d_alone_teaches_it_and_g_alone_fools_it(
    model: MLPGAN, images: torch.Tensor
) -> None:
    one = Duel(model, images, lr=5e-3, batch=32)
    start = one.trace[-1]
    for _ in range(60):
        one.step_once("d")
    taught = one.trace[-1]
    assert taught.d_loss < 0.7 * start.d_loss and taught.d_x > taught.d_gz + 0.3
    for _ in range(100):
        one.step_once("g")
    assert one.trace[-1].d_gz > taught.d_gz + 0.3
    assert one.trace[-1].d_x == taught.d_x  # D was left alone


def test_reset_begins_again_exactly(model: MLPGAN, images: torch.Tensor) -> None:
    one = Duel(model, images, batch=16)
    torch.manual_seed(1)  # of dropout
    first = one.trace[-1]
    one.step_once("both")
    second = one.trace[-1]
    one.reset()
    assert one.trace == [first]
    torch.manual_seed(1)
    one.step_once("both")
    assert one.trace[-1] == second


def test_it_runs_until_paused_and_takes_another_learning_rate(
    model: MLPGAN, images: torch.Tensor
) -> None:
    one = Duel(model, images, batch=16, places=Places(1))
    one.start("d")
    until(lambda: one.d_steps > 5)
    one.lr = 0.05
    assert one.lr == 0.05 and one.running
    one.pause()
    until(idle)
    steps = one.d_steps
    assert one.g_steps == 0
    time.sleep(0.1)
    assert one.d_steps == steps


def idle() -> bool:
    """Whether no duel has a thread."""
    return not any(thread.name == "duel" for thread in threading.enumerate())


def test_a_pause_waits_for_the_step_under_way(
    model: MLPGAN, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the page says "paused" below a picture that is no longer the model's."""
    begun, let, step_d = threading.Event(), threading.Event(), MLPGAN.step_d

    def gated(*given: object) -> dict[str, torch.Tensor]:
        begun.set()
        assert let.wait(30)
        return step_d(*given)

    monkeypatch.setattr(MLPGAN, "step_d", gated)
    one = Duel(model, images, batch=16, places=Places(1))
    one.start()
    assert begun.wait(30)
    pausing = threading.Thread(target=one.pause)
    pausing.start()
    pausing.join(0.2)
    assert pausing.is_alive(), "the step under way isn't over"
    let.set()
    pausing.join(30)
    assert (one.trace[-1].d_steps, one.trace[-1].g_steps) == (one.d_steps, one.g_steps) == (1, 1)


def test_what_is_shown_of_a_paused_duel_is_of_its_last_step(
    model: MLPGAN, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At full speed not every step is measured."""
    monkeypatch.setattr(duel, "MEASURE_SHARE", 0)  # no step of the run is measured
    one = Duel(model, images, batch=16, places=Places(1))
    one.start()
    until(lambda: one.d_steps > 3)
    assert len(one.trace) == 1
    one.pause()
    point = one.trace[-1]
    assert (point.d_steps, point.g_steps) == (one.d_steps, one.g_steps)
    shown = one.grid
    one.measure()
    assert (one.grid == shown).all()
    before = len(one.trace)
    one.pause()
    assert len(one.trace) == before, "a second pause measures nothing"


def test_it_ends_when_nobody_looks(
    model: MLPGAN, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duel.Duel, "gone_s", 0.2)
    pool = Places(1)
    one = Duel(model, images, batch=16, places=pool)
    one.start()
    until(lambda: one.d_steps > 0)
    until(idle)
    assert one.running  # it goes on with the next look
    seen = one.d_steps
    one.beat()
    until(lambda: one.d_steps > seen)
    one.close()


def test_two_duels_take_turns_on_one_place(model: MLPGAN, images: torch.Tensor) -> None:
    pool = Places(1, TURN_S)
    one, other = (Duel(model, images, batch=16, places=pool) for _ in range(2))
    one.start()
    other.start()
    until(lambda: min(one.d_steps, other.d_steps) > 0)
    done = max(one.d_steps, other.d_steps)
    until(lambda: min(one.d_steps, other.d_steps) > done)
    one.close()
    other.close()


def test_slow_motion_holds_no_place_between_its_steps(model: MLPGAN, images: torch.Tensor) -> None:
    pool = Places(1)
    slow, other = (Duel(model, images, batch=16, places=pool) for _ in range(2))
    slow.start(pause_s=600)
    until(lambda: slow.d_steps == 1)
    other.start()
    until(lambda: other.d_steps > 3)
    slow.beat()
    assert slow.d_steps == 1 and slow.waiting() == 0, "it neither steps nor waits"
    slow.close()
    other.close()


def test_a_loss_that_is_no_number_stops_with_a_sentence(
    model: MLPGAN, images: torch.Tensor
) -> None:
    one = Duel(model, images, batch=16)
    with torch.no_grad():
        one.model.discriminator[-1].weight.fill_(float("nan"))
    one.step_once("both")
    assert "Reset" in one.error and not one.running


def test_bad_wishes_are_refused_with_the_allowed_range(model: MLPGAN, images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="batch must be between 2 and 200"):
        Duel(model, images, batch=201)
    with pytest.raises(TypeError, match="apart"):
        Duel(VAE(VAESettings(image_size=4, hidden=(4,))), images, batch=16)
    one = Duel(model, images, batch=16)
    with pytest.raises(ValueError, match="lr must be"):
        one.lr = -1
    with pytest.raises(ValueError, match="who must be"):
        one.start("all")


def test_a_long_trace_keeps_its_ends(model: MLPGAN, images: torch.Tensor) -> None:
    point = Duel(model, images, batch=16).trace[0]
    trace = [replace(point, d_steps=k) for k in range(duel.KEPT + 1)]
    kept = duel.thinned(trace)
    assert len(kept) < len(trace) and kept[0] == trace[0] and kept[-1] == trace[-1]


def test_few_images_are_all_watched_and_trained_on(model: MLPGAN, images: torch.Tensor) -> None:
    one = Duel(model, images[:3], batch=3)
    assert (one.batch, one.watched) == (3, 3)
    assert Duel(model, images).watched == duel.WATCHED
    one.step_once("both")
    assert one.error == "" and one.trace[-1].steps == 2


def test_both_is_one_step_each_whatever_the_d_steps(images: torch.Tensor) -> None:
    many = MLPGAN(MLPGANSettings(latent_dim=3, hidden=(8,), image_size=4, d_steps=5)).eval()
    one = Duel(many, images)
    one.step_once("both")
    assert (one.trace[-1].d_steps, one.trace[-1].g_steps) == (1, 1)
