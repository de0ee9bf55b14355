"""Inpainting keeps what is known, fills what is not; damage is where the mask says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genlib.explore import inpainting
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.denoising import CORRUPTIONS
from tests.helpers import rng

INPAINTING = sorted(inpainting.INPAINTING)


def slopes(n: int = 4) -> Tensor:
    """Grey slopes in different directions: (n, 1, 28, 28) in [0, 1]."""
    line = torch.linspace(0, 1, 28)
    pictures = [line.expand(28, 28), line[:, None].expand(28, 28), line.flip(0).expand(28, 28)]
    pictures.append((line[:, None] + line) / 2)
    return torch.stack(pictures)[:n, None].contiguous()


@pytest.mark.parametrize("name", INPAINTING)
def test_known_pixels_stay_bit_for_bit_and_holes_are_filled(name: str) -> None:
    x = slopes() * 0.7 + 0.123456  # values that 8 bits cannot hold
    x_bad, mask = CORRUPTIONS["dropout"](x, 0.3, rng())
    x_hat = inpainting.INPAINTING[name](x_bad, mask)
    assert torch.equal(x_hat[~mask], x[~mask])
    assert (x_hat[mask] != x_bad[mask]).float().mean() > 0.9
    assert x_hat.min() >= 0 and x_hat.max() <= 1
    assert inpainting.mse(x_hat, x).max() < 0.05 * inpainting.mse(x_bad, x).min()


@pytest.mark.parametrize("name", INPAINTING)
def test_hidden_pixels_are_not_looked_at(name: str) -> None:
    x = slopes()
    _, mask = CORRUPTIONS["block"](x, 0.2, rng())
    one = inpainting.INPAINTING[name](x.masked_fill(mask, 0.0), mask)
    two = inpainting.INPAINTING[name](x.masked_fill(mask, 1.0), mask)
    assert torch.equal(one, two)


@pytest.mark.parametrize("name", INPAINTING)
def test_a_flat_picture_is_restored(name: str) -> None:
    x = torch.full((1, 1, 28, 28), 102 / 255)
    x_bad, mask = CORRUPTIONS["salt_pepper"](x, 0.5, rng())
    assert (
        inpainting.INPAINTING[name](x_bad, mask) - x
    ).abs().max() < 4 / 255  # 8-bit steps add up


@pytest.mark.parametrize("name", INPAINTING)
def test_without_holes_or_without_known_pixels_nothing_changes(name: str) -> None:
    x = slopes()
    fill = inpainting.INPAINTING[name]
    assert torch.equal(fill(x, torch.zeros_like(x, dtype=torch.bool)), x)
    all_lost = fill(x, torch.ones_like(x, dtype=torch.bool))
    assert (all_lost - x).abs().max() <= 0.5 / 255 + 1e-6  # but for OpenCV's 8 bits


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="same shape"):
        inpainting.telea(slopes(), torch.zeros(4, 1, 28, 27, dtype=torch.bool))


def test_colour_planes_are_treated_alone() -> None:
    x = slopes(3).transpose(0, 1).contiguous()  # (1, 3, 28, 28)
    mask = torch.zeros_like(x, dtype=torch.bool)
    mask[:, 1, 5:9, 5:9] = True
    x_hat = inpainting.telea(x.masked_fill(mask, 0), mask)
    assert torch.equal(x_hat[:, [0, 2]], x[:, [0, 2]])
    assert inpainting.mse(x_hat, x) < 1e-4


def test_median_removes_a_lone_pixel_and_ignores_the_mask() -> None:
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1
    assert inpainting.median(x, torch.zeros_like(x, dtype=torch.bool)).max() == 0
    picture = torch.rand(2, 1, 9, 9, generator=rng())
    x_hat = inpainting.median(picture, torch.ones_like(picture, dtype=torch.bool))
    assert x_hat[0, 0, 3, 5] == picture[0, 0, 2:5, 4:7].median()


@pytest.mark.parametrize("kind", sorted(set(CORRUPTIONS) - {"gaussian"}))
@pytest.mark.parametrize("strength", [0.0, 0.25, 0.8])
def test_damage_is_where_the_mask_says(kind: str, strength: float) -> None:
    x = slopes() * 0.1 + 0.3  # neither black, grey nor white, so that damage shows
    x_bad, mask = CORRUPTIONS[kind](x, strength, rng())
    assert mask.dtype == torch.bool and mask.shape == x.shape
    assert torch.equal(x_bad[~mask], x[~mask])
    assert (x_bad[mask] != x[mask]).all()
    assert mask.float().mean().item() == pytest.approx(strength, abs=0.04)


def test_gaussian_damages_every_pixel_within_range() -> None:
    x = torch.full((2, 1, 28, 28), 0.5)
    x_bad, mask = CORRUPTIONS["gaussian"](x, 0.1, rng())
    assert mask.all()
    assert (x_bad - x).std().item() == pytest.approx(0.1, rel=0.1)
    assert x_bad.min() >= 0 and x_bad.max() <= 1


@pytest.mark.parametrize("kind", sorted(CORRUPTIONS))
def test_same_seed_same_damage(kind: str) -> None:
    one, two = (CORRUPTIONS[kind](slopes(), 0.4, rng(3)) for _ in range(2))
    other = CORRUPTIONS[kind](slopes(), 0.4, rng(4))
    assert torch.equal(one[0], two[0]) and torch.equal(one[1], two[1])
    assert not torch.equal(one[0], other[0])


def test_telling_the_mask_puts_known_pixels_back() -> None:
    model = Autoencoder(AutoencoderSettings(latent_dim=4)).eval()
    x = slopes()
    x_bad, mask = CORRUPTIONS["dropout"](x, 0.5, rng())
    blind = inpainting.model_repair(model)(x_bad, mask)
    told = inpainting.model_repair(model, told_mask=True)(x_bad, mask)
    assert torch.equal(blind, model.reconstruct(x_bad).detach())
    assert torch.equal(told[~mask], x[~mask])
    assert torch.equal(told[mask], blind[mask])


def test_error_curves_grow_with_the_damage_and_are_repeatable() -> None:
    x = slopes()
    methods = {"nothing": lambda x_bad, _: x_bad, "Telea": inpainting.telea}
    curves = inpainting.error_curves(x, CORRUPTIONS["dropout"], (0.1, 0.5, 0.9), methods)
    nothing, telea = curves["nothing"], curves["Telea"]
    assert list(nothing.mean) == sorted(nothing.mean)
    assert all(t < n for t, n in zip(telea.mean, nothing.mean, strict=True))
    again = inpainting.error_curves(x, CORRUPTIONS["dropout"], (0.1, 0.5, 0.9), methods)
    assert again == curves
    # standard error by hand, at the first strength
    x_bad, _ = CORRUPTIONS["dropout"](x, 0.1, rng(0))
    errors = inpainting.mse(x_bad, x)
    assert nothing.stderr[0] == pytest.approx(float(errors.std() / 2))
    with pytest.raises(ValueError, match="at least 2 images"):
        inpainting.error_curves(x[:1], CORRUPTIONS["dropout"], (0.1,), methods)
