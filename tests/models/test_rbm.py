"""The RBM against enumeration of all its states."""

from __future__ import annotations

import itertools

import pytest
import torch

from genlib.models.rbm import RBM
from tests.helpers import build, normal


def states(n: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)))


@pytest.fixture
def tiny() -> RBM:
    return normal(build("rbm", image_size=2, n_hidden=3))


def test_free_energy_is_the_sum_over_hidden_states(tiny: RBM) -> None:
    v, h = states(4), states(3)
    energy = -(v @ tiny.a)[:, None] - (h @ tiny.b)[None] - v @ tiny.weight @ h.t()
    assert torch.allclose(tiny.free_energy(v), -torch.logsumexp(-energy, 1), atol=1e-5)


def test_conditionals_follow_from_the_joint(tiny: RBM) -> None:
    v, h = states(4), states(3)
    joint = ((v @ tiny.a)[:, None] + (h @ tiny.b)[None] + v @ tiny.weight @ h.t()).exp()
    expected = (joint / joint.sum(1, keepdim=True)) @ h
    assert torch.allclose(tiny.hidden_probabilities(v), expected, atol=1e-5)
    expected = (joint / joint.sum(0, keepdim=True)).t() @ v
    assert torch.allclose(tiny.visible_probabilities(h), expected, atol=1e-5)


def test_cd_gradient_tends_to_the_likelihood_gradient(tiny: RBM) -> None:
    data = states(4)[[3, 5, 5, 12]]
    all_v = states(4)

    def nll() -> torch.Tensor:
        log_z = torch.logsumexp(-tiny.free_energy(all_v), 0)
        return tiny.free_energy(data).mean() + log_z

    exact = torch.autograd.grad(nll(), tiny.weight)[0]
    rng = torch.Generator().manual_seed(0)
    v_k = tiny.gibbs(data.repeat(10_000, 1), 60, rng)
    loss = tiny.free_energy(data).mean() - tiny.free_energy(v_k).mean()
    estimate = torch.autograd.grad(loss, tiny.weight)[0]
    assert torch.allclose(estimate, exact, atol=0.02)
    # So does the gradient of the training loss with many steps, and of finite differences.
    loss = tiny.contrast(data.repeat(10_000, 1), 60, False, rng)["loss"]
    assert torch.allclose(torch.autograd.grad(loss, tiny.weight)[0], exact, atol=0.02)
    with torch.no_grad():
        tiny.weight[1, 2] += 1e-2
        up = nll()
        tiny.weight[1, 2] -= 2e-2
        down = nll()
        tiny.weight[1, 2] += 1e-2
    assert ((up - down) / 2e-2).item() == pytest.approx(exact[1, 2].item(), abs=1e-3)


def test_persistent_chains_go_on_in_training_only(tiny: RBM) -> None:
    rng = torch.Generator().manual_seed(0)
    before = tiny.chain.clone()
    tiny.eval().contrast(states(4), 1, True, rng)
    assert torch.equal(tiny.chain, before)
    tiny.train().contrast(states(4), 1, True, rng)
    assert not torch.equal(tiny.chain, before)
    again = tiny.gibbs(tiny.chain, 1, torch.Generator().manual_seed(5))
    tiny.contrast(states(4), 1, True, torch.Generator().manual_seed(5))
    assert torch.equal(tiny.chain, again)


def test_gibbs_leaves_the_model_distribution_alone(tiny: RBM) -> None:
    v = states(4)
    p = torch.softmax(-tiny.free_energy(v).detach(), 0)
    rng = torch.Generator().manual_seed(0)
    start = v[torch.multinomial(p, 40_000, replacement=True, generator=rng)]
    end = tiny.gibbs(start, 1, rng)
    code = (end @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    assert torch.allclose(torch.bincount(code, minlength=16) / len(code), p, atol=0.01)
