"""Losses at points where the answer is known."""

from __future__ import annotations

import math

import pytest
import torch

from genlib import losses


def test_kl_of_the_standard_normal_with_itself_is_zero() -> None:
    zero = torch.zeros(3, 5)
    assert torch.equal(losses.kl_standard_normal(zero, zero), zero)


def test_kl_agrees_with_numerical_integration() -> None:
    mu, std = 0.7, 0.4
    z = torch.linspace(-12, 12, 200_001, dtype=torch.float64)
    q, p = torch.distributions.Normal(mu, std), torch.distributions.Normal(0.0, 1.0)
    integral = torch.trapezoid(q.log_prob(z).exp() * (q.log_prob(z) - p.log_prob(z)), z)
    got = losses.kl_standard_normal(torch.tensor([[mu]]), torch.tensor([[2 * math.log(std)]]))
    assert got.item() == pytest.approx(integral.item(), abs=1e-5)


def test_bernoulli_density_sums_to_one_over_all_binary_images() -> None:
    logits = torch.randn(1, 4, generator=torch.Generator().manual_seed(0))
    images = torch.tensor([[(n >> b) & 1 for b in range(4)] for n in range(16)]).float()
    total = (-losses.bernoulli_nll(logits.expand(16, 4), images)).exp().sum()
    assert total.item() == pytest.approx(1.0, abs=1e-5)


def test_bernoulli_nll_of_a_fair_coin_is_log_two_a_pixel() -> None:
    got = losses.bernoulli_nll(torch.zeros(2, 1, 3, 3), torch.rand(2, 1, 3, 3))
    assert torch.allclose(got, torch.full((2,), 9 * math.log(2)))


def test_the_gaussian_density_agrees_with_torch() -> None:
    x, x_hat, logvar = torch.randn(3, 4), torch.randn(3, 4), torch.randn(3, 4)
    expected = torch.distributions.Normal(x_hat, (logvar / 2).exp()).log_prob(x).sum(1)
    assert torch.allclose(losses.log_normal(x, x_hat, logvar), expected, atol=1e-4)


def test_squared_error_sums_over_pixels() -> None:
    assert losses.squared_error(torch.ones(2, 1, 3, 3), torch.zeros(2, 1, 3, 3)).tolist() == [9, 9]
