"""The deep belief network against enumeration, and its training layer by layer."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from genlib.data import datasets
from genlib.models.boltzmann import states
from genlib.models.dbn import DBN, DBNSettings
from genlib.settings import TrainSettings
from genlib.store.recipes import RECIPES
from genlib.training import loop
from tests.helpers import build, normal


def tiny(n_hidden: tuple[int, ...] = (3, 2)) -> DBN:
    return normal(build("dbn", image_size=2, n_hidden=n_hidden))


def exact(model: DBN) -> torch.Tensor:
    """log p(v) of all 16 images: log sum_h p(v|h) p(h), h of the top pair."""
    first, top = model.stack()
    v, h = states(4), states(3)
    log_h = -top.free_energy(h)
    log_h = log_h - log_h.logsumexp(0)
    logits = h @ first.weight.t() + first.a
    log_v = v @ logits.t() - F.softplus(logits).sum(1)
    return (log_v + log_h).logsumexp(1).detach()


def test_probabilities_sum_to_one() -> None:
    assert exact(tiny()).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_the_bound_lies_below_the_likelihood_and_close() -> None:
    model, rng = tiny(), torch.Generator().manual_seed(0)
    log_z = (-model.stack()[-1].free_energy(states(3))).logsumexp(0)
    x = states(4).view(-1, 1, 2, 2).repeat(400, 1, 1, 1)
    draws = (model.unnormalised(x, rng) - log_z).view(400, 16).detach()
    mean, stderr = draws.mean(0), draws.std(0) / math.sqrt(400)
    assert (mean < exact(model) + 4 * stderr).all()
    assert ((exact(model) - mean) < 0.2).all()
    # Without the logarithm the estimate has no bias: mean of p-hat is p.
    p_hat = draws.double().exp()
    error = (p_hat.mean(0) - exact(model).exp()) / (p_hat.std(0) / math.sqrt(400))
    assert error.abs().max() < 4.5


def test_samples_follow_the_model() -> None:
    model, rng = tiny(), torch.Generator().manual_seed(0)
    p_v = model.sample(20_000, rng, steps=20).flatten(1)
    expected = exact(model).exp() @ states(4)
    assert torch.allclose(p_v.mean(0), expected, atol=0.015)


def test_layers_are_trained_one_after_the_other() -> None:
    torch.manual_seed(0)
    model = DBN(DBNSettings(image_size=4, n_hidden=(8, 6), layer_images=40, chains=10)).train()
    rng, optimizers = torch.Generator().manual_seed(0), model.optimizers(0.1, 0.0)
    first, second = model.stack()
    moved = []
    for _ in range(4):
        before = [layer.weight.detach().clone() for layer in (first, second)]
        x = torch.rand(20, 1, 4, 4, generator=rng)
        model.step(x, torch.zeros(20), rng, optimizers, torch.enable_grad)
        after = [layer.weight for layer in (first, second)]
        moved.append([not torch.equal(a, b) for a, b in zip(before, after, strict=True)])
    # In the second step the upper layer is put on the lower one; from the third on it learns.
    assert moved == [[True, False], [True, True], [False, True], [False, True]]
    assert optimizers["sgd"].param_groups[0]["lr"] == 0.1


def test_a_layer_as_wide_as_the_image_starts_without_loss() -> None:
    model = tiny((3, 4))
    first, top = model.stack()
    top.stand_on(first, states(3))
    # p(h) of the new top pair is that of the first pair, so the DBN is the RBM below.
    log_v = -first.free_energy(states(4))
    assert torch.allclose(exact(model), (log_v - log_v.logsumexp(0)).detach(), atol=1e-5)


def test_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="n_hidden must name at least one layer"):
        DBN(DBNSettings(n_hidden=()))


@pytest.mark.parametrize("config", [{}, {"layer_images": 600_000}, {"layer_images": 5}])
def test_every_layer_of_a_small_dataset_is_trained(config: dict[str, object]) -> None:
    data = datasets.load("digits")
    settings = TrainSettings(
        epochs=4, batch_size=64, limit=200, lr=0.05, precision="float32", threads=1
    )
    model = loop.build("dbn", {"n_hidden": (30, 20, 10), "chains": 16, **config}, data, 0)
    assert isinstance(model, DBN)
    untrained = [layer.chain.clone() for layer in model.stack()]
    moved: list[list[bool]] = []
    for event in loop.train(model, data, settings, every=0.0):
        if event.kind == "step":
            now = [layer.chain.clone() for layer in model.stack()]
            moved.append([not torch.equal(a, b) for a, b in zip(untrained, now, strict=True)])
            untrained = now
    # A layer in training moves its chains; the one above it is put on it at the change.
    steps = [sum(layer) for layer in zip(*moved, strict=True)]
    assert len(moved) == 16 and steps[0] >= 1 and min(steps[1:]) >= 2
    assert model.active() == 2


def test_the_shipped_network_s_schedule_is_what_it_was() -> None:
    recipe = RECIPES["dbn-500-500"]
    model = DBN(DBNSettings.from_dict(recipe.model))
    settings = TrainSettings.from_dict(recipe.train)
    model.plan(60_000, settings.epochs, settings.epochs * 469)
    assert model.layer_images == 1_200_000
    usual = DBN(DBNSettings(n_hidden=(8, 6)))
    usual.plan(60_000, 20, 20 * 469)
    assert usual.layer_images == 600_000, "two layers share 20 epochs of MNIST"
    with pytest.raises(ValueError, match="at least 4 training steps"):
        usual.plan(60, 3, 3)
