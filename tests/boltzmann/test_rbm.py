"""The page on RBM and DBN: every view with small models, and nothing at all without one."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from genlib.background import Job
from genlib.data.datasets import find_mnist
from genlib.explore import race as racing
from genlib.models.boltzmann import states
from genlib.models.capabilities import Annealed
from genlib.models.dbn import DBN, DBNSettings
from genlib.models.layers import binarize
from genlib.models.rbm import RBM, RBMSettings
from genlib.store import checkpoint
from genlib.ui.boltzmann.rbm import chain, measure, race
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digits, named
from tests.conftest import Shelf
from tests.helpers import ok, poll, rng, visit

app = partial(visit, "boltzmann/rbm.py", "rbm")


def seen(test: AppTest) -> str:
    ok(test)
    return " ".join(e.value for e in [*test.markdown, *test.caption, *test.info, *test.warning])


@pytest.fixture
def models(shelf) -> None:  # type: ignore[no-untyped-def]
    shelf(
        {
            "rbm-500": RBM(RBMSettings(n_hidden=8, chains=4)),
            "dbn-500-500": DBN(DBNSettings(n_hidden=(8, 6), chains=4)),
        }
    )


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("model", ["rbm-500", "dbn-500-500"])
def test_chain_and_weights(model: str) -> None:
    test = app(model=model, hide="Lower half", chains="9")
    assert test.selectbox(key="rbm.chains").value == 9
    assert ("only approximately" in seen(test)) == (model == "dbn-500-500")
    test = app(model=model, view="Weights")
    assert "The 8 units of the first hidden layer" in seen(test)


@pytest.mark.usefixtures("models")
def test_likelihood_on_a_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "IMAGES", 50)
    test = app(view="Log-likelihood", model="dbn-500-500", ais_chains="20", temperatures="200")
    assert "Press **Estimate log p**" in seen(test)
    test.button(key="rbm.go").click().run()
    poll(test, lambda: test.metric)
    # Untrained: every pixel is a fair coin, and 784 log 2 = 543.4 nats.
    label, value = test.metric[0].label, test.metric[0].value
    assert label == "−log p(v), nats" and value.startswith("≤ 54")
    assert "dynamically binarized" in seen(test)


def test_training_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "STEPS", 100_000)
    monkeypatch.setattr(race, "EVERY", 2)
    test = app(view="Ways to train", lr="0.05", n_hidden="4")
    test.button(key="rbm.go").click().run()
    poll(test, lambda: test.dataframe)
    rows = test.dataframe[0].value
    assert list(rows[""]) == ["CD-1", "CD-10", "PCD", "General machine"]
    assert list(rows["parameters"]) == [84, 84, 84, 253]
    test.button(key="rbm.cancel").click().run()
    poll(test, lambda: "Cancelled at" in seen(test))
    assert not test.button(key="rbm.go").disabled


def test_contestants_are_the_same_every_time() -> None:
    one, two = race.contestants(4), race.contestants(4)
    for a, b in zip(one.values(), two.values(), strict=True):
        for p, q in zip(a.parameters(), b.parameters(), strict=True):
            assert torch.equal(p, q)


@pytest.mark.parametrize(("n_hidden", "rbm"), [(4, 84), (16, 288)])
def test_every_weight_of_an_rbm_counts_and_a_pair_of_the_general_machine_once(
    n_hidden: int, rbm: int
) -> None:
    models = race.contestants(n_hidden)
    counted = {name: race.free_parameters(model) for name, model in models.items()}
    # (16 + 1) * (n_hidden + 1) - 1 numbers of the RBM; 22 units: 231 pairs and 22 biases.
    assert counted == {"CD-1": rbm, "CD-10": rbm, "PCD": rbm, "General machine": 253}


@pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")
def test_hardly_any_unit_looks_like_a_whole_digit(shipped: Path) -> None:
    """Units correlate less with any of 2,000 digits than nearly all digits with another one."""
    x = digits(2000)[0].flatten(1)
    kernels = loading.model(named("rbm-500")).kernels().cpu().flatten(1)  # type: ignore[operator]

    def closest(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        whitened = [(t - t.mean(1, keepdim=True)) / t.std(1, keepdim=True) for t in (a, b)]
        return (whitened[0] @ whitened[1].T / a.shape[1]).amax(1)

    usual = closest(x[:500], x[500:]).quantile(0.01)
    assert (closest(kernels, x) > usual).float().mean() < 0.05


def test_the_general_machine_learns_in_fewer_steps() -> None:
    """At the rate that the page opens with, with 6 hidden units against 16."""
    models = {n: m for n, m in race.contestants(16).items() if n in ("CD-1", "General machine")}
    looks = racing.run(models, race.bars(), states(16), steps=200, every=200, lr=0.1)
    nats = {name: runner.curve[-1][1] for name, runner in list(looks)[-1].items()}
    assert nats["General machine"] < nats["CD-1"] - 3
    assert len(models["General machine"].raw) == 16 + 6  # type: ignore[arg-type]


@pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")
def test_a_model_of_some_classes_is_measured_on_them(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shelf({}) / "ones.safetensors"
    model = RBM(RBMSettings(n_hidden=8, chains=4))
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model.a.fill_(-1)  # F counts the white pixels
    checkpoint.save(file, model, dataset="mnist", seed=0, epoch=1, train={"classes": "1"})

    given: list[torch.Tensor] = []

    def keep(job: Job, model: Annealed, x: torch.Tensor, *size: int) -> measure.Annealing:
        given.append(x)
        return measure.Annealing(torch.zeros(2), torch.zeros(len(x)))

    monkeypatch.setattr(measure, "anneal", keep)
    monkeypatch.setattr(measure, "IMAGES", 100)
    test = app(view="Log-likelihood", model="ones", ais_chains="20", temperatures="200")
    test.button(key="rbm.go").click().run()
    poll(test, lambda: test.metric)
    x, y = digits(10_000)
    nearest = torch.cdist(given[0].flatten(1), x.flatten(1)).argmin(1)
    assert len(given[0]) == 100 and (y[nearest] == 1).all()

    _, (low, high) = chain.layers_of(named("ones"))
    ink = binarize(x[y == 1], rng()).flatten(1).sum(1) - 8 * math.log(2)
    assert ((low <= ink) & (ink <= high)).float().mean() == pytest.approx(0.9, abs=0.03)
