"""The general Boltzmann machine against plain sums over all its states; bars and stripes."""

from __future__ import annotations

import pytest
import torch

from genlib.data import datasets
from genlib.data.toys import bars_and_stripes
from genlib.models.boltzmann import Boltzmann, BoltzmannSettings, states
from genlib.models.rbm import RBM, RBMSettings
from tests.helpers import build, normal


@pytest.fixture
def tiny() -> Boltzmann:
    return normal(build("boltzmann", image_size=2, n_hidden=3))


def test_states_are_all_different_and_in_order() -> None:
    assert states(3).tolist()[:3] == [[0, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert len(states(10).unique(dim=0)) == 1024


def energy_of(net: Boltzmann, s: torch.Tensor) -> torch.Tensor:
    """E(s) as the double sum, in nats: (B, n) of 0 and 1 -> (B,)."""
    k, energy = net.couplings(), torch.zeros(len(s))
    for i in range(s.shape[1]):
        energy = energy - net.theta[i] * s[:, i]
        for j in range(i):
            energy = energy - k[i, j] * s[:, i] * s[:, j]
    return energy


def test_couplings_are_symmetric_and_no_unit_is_coupled_to_itself(tiny: Boltzmann) -> None:
    k = tiny.couplings()
    assert torch.equal(k, k.t()) and k.diagonal().abs().max() == 0 and k.abs().max() > 0


def test_free_energy_log_z_and_likelihood_are_the_sums(tiny: Boltzmann) -> None:
    minus = -energy_of(tiny, states(7)).view(16, 8)  # pixels are slowest
    v = states(4)
    assert torch.allclose(-tiny.free_energy(v), minus.logsumexp(1), atol=1e-4)
    assert tiny.log_z().item() == pytest.approx(minus.flatten().logsumexp(0).item(), abs=1e-4)
    p = tiny.log_likelihood(v.view(-1, 1, 2, 2)).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-4)
    expected = minus.softmax(1) @ states(3)
    assert torch.allclose(tiny.hidden_probabilities(v), expected, atol=1e-5)


def test_a_sweep_leaves_the_distribution_alone(tiny: Boltzmann) -> None:
    s = states(7)
    p = torch.softmax(-energy_of(tiny, s).detach(), 0)
    rng = torch.Generator().manual_seed(0)
    start = s[torch.multinomial(p, 60_000, replacement=True, generator=rng)]
    end = tiny.sweep(start, rng)
    code = (end @ 2.0 ** torch.arange(6, -1, -1)).long()
    assert torch.allclose(torch.bincount(code, minlength=128) / len(code), p, atol=0.006)
    assert not torch.equal(start, end)


def test_one_unit_is_drawn_with_its_conditional_probability(tiny: Boltzmann) -> None:
    start = states(7)[77].expand(40_000, -1)
    end = tiny.sweep(start, torch.Generator().manual_seed(0), known=6)  # only the last unit moves
    pair = torch.stack([states(7)[76], states(7)[77]])  # the same but for the last unit
    expected = (-energy_of(tiny, pair)).softmax(0)[1].item()
    assert torch.equal(end[:, :6], start[:, :6])
    assert end[:, 6].mean().item() == pytest.approx(expected, abs=0.01)


def test_without_couplings_inside_the_layers_it_is_an_rbm(tiny: Boltzmann) -> None:
    rbm = RBM(RBMSettings(image_size=2, n_hidden=3))
    with torch.no_grad():
        tiny.raw[:4, :4], tiny.raw[4:, 4:] = 0, 0
        rbm.weight.copy_(tiny.raw[:4, 4:])
        rbm.a.copy_(tiny.theta[:4])
        rbm.b.copy_(tiny.theta[4:])
    v = states(4)
    assert torch.allclose(tiny.free_energy(v), rbm.free_energy(v), atol=1e-5)
    assert torch.allclose(tiny.hidden_probabilities(v), rbm.hidden_probabilities(v), atol=1e-5)


def test_training_gradient_is_that_of_the_likelihood_once_the_chains_follow_the_model(
    tiny: Boltzmann,
) -> None:
    x = states(4)[[3, 5, 12]].view(-1, 1, 2, 2)
    exact = torch.autograd.grad(tiny.losses(x, x, torch.Generator())["loss"], tiny.raw)[0]
    rng = torch.Generator().manual_seed(0)
    tiny.chain = torch.zeros(30_000, 7)
    for _ in range(60):
        tiny.chain = tiny.sweep(tiny.chain, rng)
    estimate = torch.autograd.grad(tiny.train().losses(x, x, rng)["loss"], tiny.raw)[0]
    assert torch.allclose(estimate, exact, atol=0.02)


def test_too_many_units_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at most 24 together.*got 784 and 6: take the dataset"):
        Boltzmann(BoltzmannSettings(image_size=28))


def test_bars_and_stripes() -> None:
    x, y = bars_and_stripes(4)
    assert len(x) == 30 and len(x.flatten(1).unique(dim=0)) == 30 and int((y == 0).sum()) == 16
    rows, columns = x.float().std(2).sum(1) == 0, x.float().std(1).sum(1) == 0
    assert columns[y == 0].all() and rows[y == 1].all()
    data = datasets.load("bars")
    assert data.shape == (1, 4, 4) and len(data.test_x) == 30 and len(data.train_x) == 1920
