"""Fréchet distance: against its closed form, and what it must not do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from genlib.evaluate.frechet import extractors, frechet, jackknife, recognised
from genlib.store import checkpoint


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


def test_an_image_is_recognised_where_its_features_point_as_those_of_real_images() -> None:
    real = torch.tensor([[4.0, 0.0], [6.0, 1.0]], dtype=torch.double)
    noise = torch.tensor([[8.0, 8.0], [9.0, 10.0]], dtype=torch.double)
    features = torch.tensor([[5.5, 0.0], [0.5, 0.01], [8.0, 7.0], [0.0, 4.0], [0.0, 0.0]])
    found = recognised(features.double(), real, [noise, noise + 100])
    assert found.tolist() == [True, True, False, False, False]


@pytest.mark.parametrize("channels", [1, 3])
def test_robust_classifiers_are_no_judges(channels: int, shipped: Path) -> None:
    judges = [judge.name for judge in extractors(channels, torch.device("cpu"))]
    there = [info for info in checkpoint.listing(shipped) if info.config.get("adversarial_eps")]
    assert judges and not {info.name for info in there} & set(judges)
    assert {info.config["channels"] for info in there} == {1, 3}
