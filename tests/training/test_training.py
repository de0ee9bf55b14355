"""Training: it learns, it is the same for the same seed, and it goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor

from genlib.data import datasets
from genlib.models import FAMILIES, Model
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.base import Autocast
from genlib.models.capabilities import capabilities
from genlib.settings import Control, Event, TrainSettings
from genlib.store.tensorfile import header, write_meta
from genlib.training import loop
from genlib.training.loop import choose_arithmetic

SMALL = TrainSettings(
    epochs=3, batch_size=32, limit=256, precision="float32", threads=1, lr=1e-3, seed=3
)

# 256 images say nothing of fifty axes: with so many, the test loss rises from the first epoch.
FEW: dict[str, dict[str, object]] = {"pca": {"latent_dim": 4}, "mixture": {"latent_dim": 4}}
# Where the format matters and not the size: four steps in seconds, not minutes.
NARROW: dict[str, dict[str, object]] = {
    "pixelcnn": {"width": 8, "blocks": 2},
    "pixelrnn": {"width": 4, "layers": 1},
    "dcgan_28": {"width": 16},
    "dcgan_64": {"ngf": 8, "ndf": 8},
}


@pytest.fixture(scope="module")
def digits() -> datasets.Dataset:
    return datasets.load("digits")


def fresh(data: datasets.Dataset, family: str = "autoencoder") -> Model:
    return loop.build(family, FEW.get(family, {}), data, SMALL.seed)


def run(
    model: Model,
    data: datasets.Dataset,
    settings: TrainSettings = SMALL,
    state: loop.State | None = None,
) -> list[Event]:
    torch.manual_seed(settings.seed)
    return list(loop.train(model, data, settings, state))


def pictures_for(family: str) -> datasets.Dataset:
    """Digits, or bars and stripes for a family whose images are very small."""
    return datasets.load("bars" if FAMILIES[family].Config().image_size < 28 else "digits")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns(family: str) -> None:
    data = pictures_for(family)
    model = fresh(data, family)
    events = [e for e in run(model, data) if e.kind == "epoch"]
    assert [e.epoch for e in events] == [1, 2, 3]
    if "Judges" not in capabilities(family):  # in a game one side's gain is the other's loss
        # Contrastive divergence may rise while the model gets better; its error may not. A net of
        # layers and a mixture train in stages, and only the last one's numbers compare; EM raises
        # the likelihood of the images it is given.
        able = capabilities(family)
        staged = bool(able & {"Stacked", "HasComponents"})
        term = "test/reconstruction" if "Stacked" in able else "test/loss"
        term = "train/loss" if "HasComponents" in able else term
        assert events[-1].metrics[term] < events[staged].metrics[term]
    assert events[-1].step == events[-1].metrics["steps"] == 24
    assert events[-1].metrics["seconds_left"] == 0
    picture = loop.preview(model, data)
    assert picture is None or (picture.dtype == torch.uint8 and picture.shape[1:] == data.shape)


@pytest.mark.parametrize("family", ["ebgan", "classifier", "dcgan_28"])
def test_batch_norm_meets_no_batch_of_one(family: str, digits: datasets.Dataset) -> None:
    """33 = 32 + 1 images: the last one alone has no variance."""
    small = replace(digits, test_x=digits.test_x[:64], test_y=digits.test_y[:64])
    settings = SMALL.replace(limit=33, epochs=2)
    events = [e for e in run(fresh(digits, family), small, settings) if e.kind == "epoch"]
    assert [e.step for e in events] == [1, 2] and events[-1].metrics["steps"] == 2
    assert events[-1].metrics["seconds_left"] == 0


def test_same_seed_same_weights(digits: datasets.Dataset) -> None:
    one, two = fresh(digits), fresh(digits)
    run(one, digits)
    run(two, digits)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("family", ["denoising", "classifier"])
def test_resumed_training_equals_uninterrupted(
    family: str, digits: datasets.Dataset, tmp_path: Path
) -> None:
    whole = fresh(digits, family)
    run(whole, digits)

    first = fresh(digits, family)
    state = loop.start(first, SMALL)
    torch.manual_seed(SMALL.seed)
    for event in loop.train(first, digits, SMALL, state):
        if event.kind == "epoch" and event.epoch == 2:
            loop.save_state(tmp_path / "state.safetensors", first, state)
            break

    second = fresh(digits, family)
    state = loop.load_state(tmp_path / "state.safetensors", second, SMALL)
    assert state.epoch == 2 and [row["epoch"] for row in state.history] == [1, 2]
    list(loop.train(second, digits, SMALL, state))
    assert [row["epoch"] for row in state.history] == [1, 2, 3]
    for a, b in zip(whole.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_takes_two_steps_and_resumes_in_both_formats(
    family: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_PRECISION", precision)
    monkeypatch.setenv("GENLIB_THREADS", "1")
    settings = TrainSettings(epochs=2, batch_size=32, limit=64, lr=1e-3)
    assert (settings.precision, settings.threads) == (precision, 1)
    data, file = pictures_for(family), tmp_path / "state.safetensors"

    def parts(model: Model) -> Iterator[Event]:
        torch.manual_seed(settings.seed)
        state = loop.start(model, settings)
        for event in loop.train(model, data, settings, state):
            if event.kind == "epoch":
                loop.save_state(file, model, state)
                yield event

    config = {**FEW.get(family, {}), **NARROW.get(family, {})}
    whole, first, second = (loop.build(family, config, data, 0) for _ in range(3))
    assert [event.step for event in parts(whole)] == [2, 4]
    before = {k: v.clone() for k, v in first.state_dict().items()}
    assert next(parts(first)).step == 2
    assert any(not torch.equal(v, before[k]) for k, v in first.state_dict().items())
    state = loop.load_state(file, second, settings)
    assert [e.step for e in loop.train(second, data, settings, state)][-1] == 4
    for name, value in second.state_dict().items():
        assert value.dtype == before[name].dtype, name
        assert torch.equal(value, whole.state_dict()[name]), name


def test_stop_and_learning_rate_are_obeyed(digits: datasets.Dataset) -> None:
    model = fresh(digits)
    state = loop.start(model, SMALL)
    seen: list[Event] = []

    def control() -> Control:
        return Control(stop=len(seen) >= 3, lr=0.25)

    for event in loop.train(model, digits, SMALL, state, control, every=0.0):
        seen.append(event)
    assert state.stopped and len(seen) == 3 and state.step == 3
    assert {event.metrics["lr"] for event in seen} == {0.25}, "from the first step on"
    assert not model.training


class TwoRates(Autoencoder):
    """An autoencoder whose decoder learns at a tenth of the encoder's rate."""

    family = ""  # not one of the families

    def optimizers(self, lr: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        groups = [
            {"params": self.encoder.parameters(), "lr": lr},
            {"params": self.decoder.parameters(), "lr": lr / 10},
        ]
        return {"sgd": torch.optim.SGD(groups, weight_decay=weight_decay)}


@pytest.mark.parametrize("wish", [None, 0.25])
def test_a_family_may_have_two_rates_which_schedule_and_wishes_scale(
    digits: datasets.Dataset, wish: float | None, tmp_path: Path
) -> None:
    settings = SMALL.replace(schedule="cosine", lr=0.1, epochs=1)
    model = TwoRates(AutoencoderSettings(latent_dim=2))
    state = loop.start(model, settings)
    seen = []
    for event in loop.train(model, digits, settings, state, lambda: Control(lr=wish), every=0.0):
        fast, slow = (group["lr"] for group in state.optimizers["sgd"].param_groups)
        assert slow == pytest.approx(fast / 10)
        seen.append((event.metrics["base_lr"], fast))
    assert {base for base, _ in seen} == {wish or 0.1}
    assert seen[0][1] == pytest.approx(wish or 0.1) and seen[-1][1] < seen[0][1] / 5
    loop.save_state(tmp_path / "state", model, state)
    again = loop.load_state(tmp_path / "state", model, settings)
    assert [g["initial_lr"] for g in again.optimizers["sgd"].param_groups] == [0.1, 0.01]


def test_a_pause_waits_and_goes_on(digits: datasets.Dataset) -> None:
    answers = iter([Control(pause=True), Control(pause=True)])
    model = fresh(digits)
    events = list(
        loop.train(model, digits, SMALL, control=lambda: next(answers, Control()), every=0.0)
    )
    assert events[-1].epoch == 3
    assert next(answers, None) is None


def test_schedules() -> None:
    one = SMALL.replace(schedule="onecycle", lr=0.1)
    rates = [loop.learning_rate(one, share / 100) for share in range(101)]
    assert max(rates) == pytest.approx(0.1) and rates.index(max(rates)) == 30
    assert rates[0] == pytest.approx(0.004) and rates[-1] < 1e-4
    cosine = SMALL.replace(schedule="cosine", lr=0.1)
    assert loop.learning_rate(cosine, 0.0) == pytest.approx(0.1)
    assert loop.learning_rate(cosine, 0.5) == pytest.approx(0.05)
    assert loop.learning_rate(SMALL, 0.7) == 1e-3
    assert loop.learning_rate(SMALL, 0.7, lr=0.5) == 0.5


def test_a_diverging_loss_is_said_in_words(digits: datasets.Dataset) -> None:
    model = fresh(digits)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match=r"train/loss became nan .* smaller learning rate"):
        run(model, digits)


def test_probing_changes_neither_weights_nor_buffers(digits: datasets.Dataset) -> None:
    model = fresh(digits, "classifier")
    before = {k: v.clone() for k, v in model.state_dict().items()}
    threads = torch.get_num_threads()
    model.train()
    settings = SMALL.replace(precision="auto", threads=0)
    choose_arithmetic(model, digits.train_x, digits.train_y, settings)
    torch.set_num_threads(threads)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def prefer(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every measurement find that steps in this number format are the faster ones."""

    def probe(model: Model, x: Tensor, y: Tensor, autocast: Autocast, threads: int) -> float:
        return 1.0 if loop.in_use(autocast, x.device)["precision"] == precision else 2.0

    monkeypatch.setattr(loop, "probe", probe)


@pytest.mark.parametrize(("first", "other"), [("float32", "bfloat16"), ("bfloat16", "float32")])
def test_a_resumed_training_keeps_its_number_format(
    first: str,
    other: str,
    digits: datasets.Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where a new measurement would prefer the other one."""
    settings = SMALL.replace(precision="auto")
    model, file = fresh(digits), tmp_path / "state.safetensors"
    state = loop.start(model, settings)
    prefer(first, monkeypatch)
    for event in loop.train(model, digits, settings, state):
        if event.kind == "epoch" and event.epoch == 2:
            loop.save_state(file, model, state)
            break
    used = {"device": "cpu", "precision": first, "threads": 1}
    assert state.used == used

    prefer(other, monkeypatch)
    state = loop.load_state(file, model, settings)
    list(loop.train(model, digits, settings, state))
    assert state.epoch == 3 and state.used == used
    state = loop.load_state(file, model, settings)
    list(loop.train(model, digits, settings.replace(precision=other), state))
    assert state.used["precision"] == other, "what is asked for counts"


def test_a_training_that_moved_here_from_another_device_measures(
    digits: datasets.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x, y = fresh(digits), digits.train_x, digits.train_y
    prefer("float32", monkeypatch)
    for device, expected in (("cpu", "bfloat16"), ("cuda", "float32")):
        used = {"device": device, "precision": "bfloat16", "threads": 64}
        autocast = choose_arithmetic(model, x, y, SMALL.replace(precision="auto"), used)
        found = {"device": "cpu", "precision": expected, "threads": 1}
        assert loop.in_use(autocast, x.device) == found


def test_a_state_of_an_earlier_version_goes_on(digits: datasets.Dataset, tmp_path: Path) -> None:
    """It says nothing of the number format, and has no checksum."""
    model, file = fresh(digits), tmp_path / "state.safetensors"
    state = loop.start(model, SMALL)
    run(model, digits, SMALL.replace(epochs=1), state)
    loop.save_state(file, model, state)
    text = cast(dict[str, str], header(file)["__metadata__"])["genlib"]
    known = ("kind", "epoch", "step", "seconds", "history")
    meta = {k: v for k, v in json.loads(text).items() if k in known}
    write_meta(file, meta, file.stat().st_mtime_ns)
    state = loop.load_state(file, model, SMALL)
    assert (state.epoch, state.used) == (1, {})
    run(model, digits, SMALL, state)
    assert state.epoch == 3 and state.used["precision"] == "float32"


def test_no_images_left(digits: datasets.Dataset) -> None:
    empty = digits.first(1)
    empty = datasets.replace(empty, train_x=empty.train_x[:0], train_y=empty.train_y[:0])
    with pytest.raises(ValueError, match="no images are left"):
        list(loop.train(fresh(digits), empty, SMALL))
    with pytest.raises(ValueError, match="only one image is left"):
        list(loop.train(fresh(digits), digits, SMALL.replace(limit=1)))
    with pytest.raises(ValueError, match="batch_size must be between 2"):
        SMALL.replace(batch_size=1)


def test_unknown_family(digits: datasets.Dataset) -> None:
    with pytest.raises(ValueError, match="unknown family 'llm'"):
        loop.build("llm", {}, digits, 0)


def test_a_schedule_can_be_gone_through_more_than_once() -> None:
    once = SMALL.replace(schedule="onecycle")
    twice = once.replace(cycles=2)
    for share in (0.0, 0.1, 0.3, 0.49):
        first = loop.learning_rate(twice, share)
        assert first == pytest.approx(loop.learning_rate(once, 2 * share))
        assert first == pytest.approx(loop.learning_rate(twice, share + 0.5))
    assert loop.learning_rate(twice, 1.0) == loop.learning_rate(once, 1.0)
