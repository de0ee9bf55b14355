"""Merges, energies and the AUC, against arrays whose answer is known."""

import numpy as np
import pytest
import torch

from genlib.evaluate import energy
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.vae import VAE, VAESettings
from tests.helpers import rng


@pytest.mark.parametrize("how", ["alpha", "splice"])
def test_merge_goes_from_a_to_b(how: str) -> None:
    a, b = torch.rand(1, 6, 6, generator=rng(1)), torch.rand(1, 6, 6, generator=rng(2))
    assert torch.equal(energy.MERGES[how](a, b, 0.0), a)
    assert torch.equal(energy.MERGES[how](a, b, 1.0), b)


def test_each_merge_is_its_formula() -> None:
    a, b = torch.zeros(1, 4, 4), torch.ones(1, 4, 4)
    assert torch.allclose(energy.blend(a, b, 0.3), torch.full_like(a, 0.3))
    assert torch.equal(energy.brighter(a, b, 0.3), b)
    assert energy.splice(a, b, 0.25)[0, :, 0].tolist() == [0, 0, 0, 1]


def test_pairs_are_of_different_classes_and_cover_all_of_them() -> None:
    y = torch.tensor([0] * 50 + [1] * 3 + [2] * 3)
    pairs = energy.different_pairs(y, 2000, rng())
    first, second = y[pairs[:, 0]], y[pairs[:, 1]]
    assert (first != second).all()
    seen = set(zip(first.tolist(), second.tolist(), strict=True))
    assert seen == {(i, j) for i in range(3) for j in range(3) if i != j}


def test_pairs_of_one_class_are_refused() -> None:
    with pytest.raises(ValueError, match="two classes"):
        energy.different_pairs(torch.zeros(5), 3, rng())


def test_merge_pairs_merges_images_of_the_two_classes() -> None:
    y = torch.tensor([0, 1])
    x = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    merged = energy.merge_pairs(x, y, "alpha", 8, rng(), alpha=0.25)
    assert set(merged.unique().tolist()) <= {0.25, 0.75}
    assert torch.equal(merged, energy.merge_pairs(x, y, "alpha", 8, rng(), alpha=0.25))


@pytest.mark.parametrize(
    ("how", "alpha", "word"), [("xor", 0.5, "how must be"), ("alpha", 1.5, "alpha must be")]
)
def test_merge_pairs_refuses(how: str, alpha: float, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        energy.merge_pairs(torch.rand(2, 1, 2, 2), torch.arange(2), how, 2, rng(), alpha)


def test_squared_error_sums_over_pixels() -> None:
    x = torch.zeros(2, 1, 2, 2)
    assert energy.squared_error(x, x + 0.5).tolist() == [1.0, 1.0]


def test_correlation_energy_does_not_see_contrast() -> None:
    x = torch.rand(3, 1, 5, 5, generator=rng())
    x_hat = torch.rand(3, 1, 5, 5, generator=rng(1))
    plain = energy.one_minus_correlation(x, x_hat)
    assert torch.allclose(plain, energy.one_minus_correlation(0.3 * x + 0.2, x_hat), atol=1e-5)
    assert torch.allclose(energy.one_minus_correlation(x, x), torch.zeros(3), atol=1e-5)
    assert torch.allclose(energy.one_minus_correlation(x, 1 - x), torch.full((3,), 2.0), atol=1e-5)
    expected = 1 - np.corrcoef(x[0].flatten(), x_hat[0].flatten())[0, 1]
    assert plain[0].item() == pytest.approx(expected, abs=1e-5)
    assert energy.one_minus_correlation(torch.ones(1, 1, 5, 5), x_hat[:1]).tolist() == [1.0]


@pytest.mark.parametrize(
    ("real", "merged", "value"),
    [
        ([1, 2, 3], [4, 5], 1.0),
        ([4, 5], [1, 2, 3], 0.0),
        ([1, 2], [1, 2], 0.5),
        ([1, 1, 1], [1, 1], 0.5),
        ([1, 3], [2, 3], 5 / 8),  # of 4 pairs: 2>1, 3>1, 3=3 counts half
    ],
)
def test_auc_of_known_arrays(real: list[int], merged: list[int], value: float) -> None:
    result = energy.auc(np.array(real, float), np.array(merged, float))
    assert result.value == pytest.approx(value)


def test_auc_is_the_share_of_ordered_pairs_and_the_area_under_the_roc() -> None:
    source = np.random.default_rng(0)
    real, merged = source.integers(0, 9, 80) * 1.0, source.integers(2, 12, 60) * 1.0
    pairs = (merged[:, None] > real).mean() + 0.5 * (merged[:, None] == real).mean()
    assert energy.auc(real, merged).value == pytest.approx(pairs)
    false, true = energy.roc(real, merged)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert (np.diff(false) >= 0).all() and (np.diff(true) >= 0).all()
    assert np.trapezoid(true, false) == pytest.approx(pairs)


def test_auc_standard_error_is_the_spread_over_repeated_draws() -> None:
    source = np.random.default_rng(0)
    draws = [energy.auc(source.normal(0, 1, 200), source.normal(1, 1, 150)) for _ in range(400)]
    spread = np.std([d.value for d in draws])
    assert np.mean([d.stderr for d in draws]) == pytest.approx(spread, rel=0.12)


def test_auc_refuses_single_values() -> None:
    with pytest.raises(ValueError, match="two energies"):
        energy.auc(np.ones(1), np.ones(5))


def test_share_above_counts_the_real_digits_with_more_energy() -> None:
    shares = energy.share_above(np.array([1.0, 2, 3, 4]), np.array([0.0, 2.5, 4, 9]))
    assert shares.tolist() == [1.0, 0.5, 0.25, 0.0]


def tiny() -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(AutoencoderSettings(image_size=4, latent_dim=3)).eval()


def test_along_alpha_starts_at_a_and_ends_at_b() -> None:
    model = tiny()
    a, b = torch.rand(2, 1, 4, 4, generator=rng()).unbind(0)
    sweep = energy.along_alpha(model, a, b, "alpha", "squared error", steps=11)
    ends = energy.energies(model, torch.stack([a, b]), "squared error")
    assert sweep.x.shape == sweep.x_hat.shape == (11, 1, 4, 4)
    assert sweep.energy[[0, -1]] == pytest.approx(ends, rel=1e-5)
    assert torch.allclose(sweep.x[5], (a + b) / 2)


def test_own_energy_of_a_vae_is_smooth_along_alpha() -> None:
    torch.manual_seed(0)
    model = VAE(VAESettings(image_size=4, latent_dim=2, hidden=(8,))).eval()
    a = torch.rand(1, 4, 4, generator=rng())
    flat = energy.along_alpha(model, a, a, "alpha", energy.OWN, steps=7)
    assert np.ptp(flat.energy) < 1e-4  # the same image at every alpha: no noise in the curve


def test_unknown_energy_is_refused() -> None:
    with pytest.raises(ValueError, match="kind must be"):
        energy.energies(tiny(), torch.rand(2, 1, 4, 4), "warmth")


def test_the_error_bar_of_an_auc_covers_images_and_noise() -> None:
    """100 small studies, each with images of its own and three draws of every image's noise."""
    rng = np.random.default_rng(0)

    def study() -> energy.AUC:
        real, merged = rng.normal(0, 1, 40), rng.normal(1, 1, 60)
        noisy = [x + rng.normal(0, 1.5, (3, len(x))) for x in (real, merged)]
        return energy.auc(*noisy)

    found = [study() for _ in range(300)]
    spread = np.std([one.value for one in found], ddof=1)
    assert np.mean([one.stderr for one in found]) == pytest.approx(spread, rel=0.15)


def test_one_draw_is_the_auc_of_that_draw() -> None:
    rng = np.random.default_rng(1)
    real, merged = rng.normal(size=50), rng.normal(1, 1, 40)
    assert energy.auc(real[None], merged[None]) == energy.auc(real, merged)


def test_with_a_generator_every_image_has_noise_of_its_own() -> None:
    torch.manual_seed(0)
    model = VAE(VAESettings(image_size=4, latent_dim=2, hidden=(6,))).eval()
    x = torch.rand(1, 1, 4, 4).repeat(3, 1, 1, 1)
    shared = energy.energies(model, x, energy.OWN)
    own = energy.energies(model, x, energy.OWN, torch.Generator().manual_seed(0))
    assert np.ptp(shared) < 1e-4
    assert len(set(own.round(4))) == 3
