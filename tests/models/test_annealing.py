"""Annealed importance sampling against enumeration."""

from __future__ import annotations

import math

import pytest
import torch

from genlib.models.annealing import effective, log_mean, schedule
from genlib.models.boltzmann import states
from genlib.models.rbm import RBM, RBMSettings


def tiny(scale: float) -> RBM:
    torch.manual_seed(1)
    rbm = RBM(RBMSettings(image_size=3, n_hidden=6)).eval()
    with torch.no_grad():
        for p in rbm.parameters():
            p.normal_(0, scale)
        rbm.mean.copy_(torch.rand(9))
    return rbm


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_log_z_is_found_within_its_error_bar(scale: float) -> None:
    rbm = tiny(scale)
    exact = (-rbm.free_energy(states(9))).logsumexp(0).item()
    *reports, log_w = rbm.anneal(2000, 200, torch.Generator().manual_seed(0))
    found = log_mean(log_w)
    assert abs(found.value - exact) < 4 * found.stderr
    assert found.stderr < 0.05
    assert len(reports) == 99


def test_one_temperature_is_plain_importance_sampling_and_without_bias() -> None:
    rbm = tiny(0.5)
    exact = (-rbm.free_energy(states(9))).logsumexp(0).item()
    (log_w,) = rbm.anneal(40_000, 1, torch.Generator().manual_seed(0))
    found = log_mean(log_w)
    assert abs(found.value - exact) < 4 * found.stderr


def test_the_base_needs_no_annealing() -> None:
    rbm = tiny(1.0)
    with torch.no_grad():
        rbm.weight.zero_()
        rbm.b.zero_()
        rbm.a.copy_(rbm.base())
    exact = (-rbm.free_energy(states(9))).logsumexp(0).item()
    *_, log_w = rbm.anneal(5, 10, torch.Generator().manual_seed(0))
    assert torch.allclose(log_w, torch.full_like(log_w, exact), atol=1e-4)


def test_error_bar_and_effective_chains() -> None:
    log_w = torch.tensor([0.0, math.log(3.0)], dtype=torch.double) + 1000  # no overflow
    found = log_mean(log_w)
    assert found.value == pytest.approx(1000 + math.log(2))
    assert found.stderr == pytest.approx(math.sqrt(2) / 2 / math.sqrt(2))
    assert effective(log_w) == pytest.approx(16 / 10)
    assert effective(torch.zeros(7)) == pytest.approx(7)


def test_schedule_rises_from_zero_to_one_and_is_densest_at_the_end() -> None:
    betas = torch.tensor(schedule(1450), dtype=torch.double)
    assert betas[0] == 0 and betas[-1] == pytest.approx(1) and (betas.diff() > 0).all()
    assert betas[50] == pytest.approx(0.5) and betas[450] == pytest.approx(0.9)


def test_too_few_chains_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 chains and 1 temperature, got 1 and 10"):
        next(tiny(0.5).anneal(1, 10, torch.Generator()))
