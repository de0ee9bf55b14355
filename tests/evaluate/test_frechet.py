"""Fréchet distance: against its closed form, and what it must not do."""

from __future__ import annotations

import pytest
import torch

from genlib.evaluate.frechet import frechet, jackknife, recognised


def gaussian(n: int, d: int, scale: float = 1.0, shift: float = 0.0, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=rng, dtype=torch.double) * scale + shift


def test_distance_of_a_set_to_itself_is_zero() -> None:
    a = gaussian(500, 8)
    assert frechet(a, a) == pytest.approx(0.0, abs=1e-9)


def test_shifted_and_scaled_copies_have_the_closed_form() -> None:
    a = gaussian(2000, 4)
    # b = 3 a + 2: the same axes, so d^2 = |mu_a - mu_b|^2 + sum (s_a - s_b)^2 = ... + 4 tr S_a
    b = 3 * a + 2
    expected = float((a.mean(0) - b.mean(0)).square().sum() + 4 * torch.cov(a.t()).trace())
    assert frechet(a, b) == pytest.approx(expected, rel=1e-9)


def test_distance_is_symmetric_also_where_the_axes_differ() -> None:
    a = gaussian(300, 5) @ gaussian(5, 5, seed=1)
    b = gaussian(400, 5, seed=2) @ gaussian(5, 5, seed=3)
    assert frechet(a, b) == pytest.approx(frechet(b, a), rel=1e-8)
    assert frechet(a, b) > 0


def test_standard_error_has_the_size_of_the_spread_between_draws_of_both_sets() -> None:
    rng = torch.Generator().manual_seed(0)
    sets = torch.randn(400, 2, 300, 3, generator=rng, dtype=torch.double)
    sets[:, 0] += 0.5
    spread = torch.tensor([frechet(a, b) for a, b in sets]).std().item()
    claimed = torch.tensor([jackknife(a, b) for a, b in sets[:60]]).mean().item()
    assert claimed == pytest.approx(spread, rel=0.2)


def test_an_image_is_recognised_where_it_is_nearer_to_its_class_than_to_noise() -> None:
    real = torch.tensor([[4.0, 0.0], [6.0, 0.0], [0.0, 5.0]], dtype=torch.double)
    real_classes = torch.tensor([0, 0, 2])
    noise = torch.tensor([[8.0, 0.0], [10.0, 0.0]], dtype=torch.double)
    features = torch.tensor([[5.5, 0.0], [8.0, 1.0], [0.0, 4.0], [5.0, 0.0]], dtype=torch.double)
    classes = torch.tensor([0, 0, 2, 1])  # no real image is of class 1
    found = recognised(features, classes, real, real_classes, [noise, noise + 100])
    assert found.tolist() == [True, False, True, False]
