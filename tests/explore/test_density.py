"""Densities over latents: they integrate to one, they find what made the codes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from genlib.explore.density import DENSITIES, held_out

RNG = np.random.default_rng(0)
MIXING = np.array([[1.0, 0.0], [1.2, 0.5]])
CODES = (RNG.standard_normal((4000, 2)) @ MIXING.T + np.array([1.0, -1.0])).astype(np.float32)


@pytest.mark.parametrize("name", DENSITIES)
def test_a_density_integrates_to_one(name: str) -> None:
    density = DENSITIES[name](CODES)
    side = np.linspace(-9, 9, 361)
    plane = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    step = side[1] - side[0]
    assert np.exp(density.log_density(plane)).sum() * step**2 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", DENSITIES)
def test_samples_come_from_the_density(name: str) -> None:
    """The mean of log p over its own samples is its negative entropy, here by quadrature."""
    density = DENSITIES[name](CODES)
    z = density.sample(20_000, np.random.default_rng(1))
    assert z.shape == (20_000, 2) and z.dtype == np.float32
    side = np.linspace(-9, 9, 361)
    plane = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    log_p = density.log_density(plane)
    expected = (np.exp(log_p) * log_p).sum() * (side[1] - side[0]) ** 2
    assert density.log_density(z).mean() == pytest.approx(expected, abs=0.03)


def test_the_standard_normal_at_its_peak() -> None:
    density = DENSITIES["Standard normal"](CODES)
    assert density.log_density(np.zeros((1, 2)))[0] == pytest.approx(-math.log(2 * math.pi))


def test_fitted_gaussians_have_the_codes_moments() -> None:
    z = DENSITIES["Full Gaussian"](CODES).sample(50_000, np.random.default_rng(2))
    assert np.allclose(z.mean(0), CODES.mean(0), atol=0.03)
    assert np.allclose(np.cov(z.T), np.cov(CODES.T), atol=0.05)
    z = DENSITIES["Diagonal Gaussian"](CODES).sample(50_000, np.random.default_rng(2))
    assert np.allclose(z.std(0), CODES.std(0), atol=0.03)
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.02  # the diagonal one cannot know that they go together


def test_a_richer_density_fits_held_out_codes_better() -> None:
    ring = RNG.uniform(0, 2 * np.pi, 3000)
    codes = np.stack([np.cos(ring), np.sin(ring)], 1) * 3 + 0.2 * RNG.standard_normal((3000, 2))
    fit, test = codes[:2000].astype(np.float32), codes[2000:].astype(np.float32)
    values = {name: held_out(make(fit), test)[0] for name, make in DENSITIES.items()}
    assert values["Gaussian mixture"] > values["Full Gaussian"] + 0.5
    assert values["Diagonal Gaussian"] > values["Standard normal"]


def test_dead_latents_do_not_break_a_fit() -> None:
    codes = np.concatenate([CODES, np.zeros((len(CODES), 1), np.float32)], 1)
    for make in DENSITIES.values():
        density = make(codes)
        assert np.isfinite(density.log_density(codes[:50])).all()
        assert np.isfinite(density.sample(10, np.random.default_rng(0))).all()


def test_wide_codes_get_a_mixture_too() -> None:
    codes = RNG.standard_normal((400, 60)).astype(np.float32)
    density = DENSITIES["Gaussian mixture"](codes)
    assert density.sample(5, np.random.default_rng(0)).shape == (5, 60)
    mean, error = held_out(density, codes)
    assert math.isfinite(mean) and error > 0
