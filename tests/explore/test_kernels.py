"""Kernels: which units are dead, what is noise, and what the numbers mean."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genlib.explore import kernels as layer
from genlib.models import FAMILIES
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.plots.kernels import PALETTE, diverging, level


def smooth_images(n: int = 200, size: int = 12, border: int = 3) -> Tensor:
    """Random strokes inside a border that is always 0: (n, 1, size, size) in [0, 1]."""
    rng = torch.Generator().manual_seed(1)
    inner = torch.rand((n, 1, size - 2 * border, size - 2 * border), generator=rng)
    return torch.nn.functional.pad(inner, (border,) * 4)


def tiny_model(hidden: int = 8) -> Autoencoder:
    torch.manual_seed(0)
    model = Autoencoder(AutoencoderSettings(latent_dim=hidden, image_size=12))
    return model.eval().requires_grad_(False)


def measure(model: Autoencoder, x: Tensor) -> layer.Kernels:
    spread = layer.pixel_spread(x)
    return layer.measure(model.kernels(), layer.activations(model, x), spread)


def test_saturated_unit_is_dead_and_the_others_are_not() -> None:
    model, x = tiny_model(), smooth_images()
    model.encoder[0].bias[3] = 50.0  # tanh(50) is 1 whatever the digit
    dead = layer.dead(measure(model, x), "silent")
    assert dead.nonzero().flatten().tolist() == [3]


def test_unit_without_weights_is_dead() -> None:
    model, x = tiny_model(), smooth_images()
    model.encoder[0].weight[5] = 0.0
    assert layer.dead(measure(model, x), "silent").nonzero().flatten().tolist() == [5]


def test_more_than_half_may_be_dead() -> None:
    model, x = tiny_model(), smooth_images()
    model.encoder[0].bias[:5] = 50.0
    assert layer.dead(measure(model, x), "silent").tolist() == [True] * 5 + [False] * 3


def test_a_layer_all_silent_is_all_dead() -> None:
    model, x = tiny_model(), smooth_images()
    model.encoder[0].weight[:] = 0.0
    assert layer.dead(measure(model, x), "silent").all()


def test_threshold_moves_the_verdict() -> None:
    kernels = measure(tiny_model(), smooth_images())
    assert not layer.dead(kernels, "silent", 0.0).any()
    assert layer.dead(kernels, "silent", 1e9).all()
    with pytest.raises(ValueError, match="criterion must be one of silent, noise"):
        layer.dead(kernels, "dull")


def test_smoothness_is_zero_for_noise_and_high_for_a_slope() -> None:
    rng = torch.Generator().manual_seed(0)
    inside = torch.ones(28, 28, dtype=torch.bool)
    noise = torch.randn((200, 28, 28), generator=rng)
    found = layer.smoothness(noise, inside)
    pairs = 2 * 27 * 28
    assert abs(found.mean()) < 4 * found.std() / 200**0.5 + 1e-3
    assert found.std() == pytest.approx(pairs**-0.5, rel=0.25)
    slope = torch.linspace(-1, 1, 28).expand(1, 28, 28)
    assert layer.smoothness(slope, inside) > 0.85
    checkers = (torch.arange(28)[:, None] + torch.arange(28)) % 2 * 2.0 - 1
    assert layer.smoothness(checkers[None], inside).item() == pytest.approx(-1, abs=1e-5)


def test_smoothness_looks_only_inside() -> None:
    inside = torch.zeros(12, 12, dtype=torch.bool)
    inside[3:9, 3:9] = True
    kernel = torch.linspace(-1, 1, 12).expand(1, 12, 12).clone()
    before = layer.smoothness(kernel, inside)
    kernel[:, ~inside] = torch.randn(108, generator=torch.Generator().manual_seed(0))
    assert torch.equal(layer.smoothness(kernel, inside), before)


def test_noise_criterion_marks_the_random_kernel_only() -> None:
    x = smooth_images(size=28)
    spread = layer.pixel_spread(x)
    weights = torch.linspace(-1, 1, 28).expand(4, 28, 28).clone()
    weights[2] = torch.randn((28, 28), generator=torch.Generator().manual_seed(0))
    found = layer.measure(weights, torch.rand(10, 4), spread)
    assert layer.dead(found, "noise").tolist() == [False, False, True, False]


def test_training_never_removes_the_noise_of_a_constant_border() -> None:
    """The page's claim: all border weights of a unit move by one common amount."""
    model, x = tiny_model(), smooth_images(128)
    border = layer.pixel_spread(x) == 0
    before = model.kernels().clone()
    model.requires_grad_(True)
    for _ in range(20):
        loss = model.losses(x, torch.zeros(128), torch.Generator())["loss"]
        weights = list(model.parameters())
        with torch.no_grad():
            for w, grad in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                w -= grad
    moved = (model.kernels() - before)[:, border]
    assert moved.abs().max() > 1e-3  # it did learn
    assert moved.std(1).max() < 1e-5
    assert (model.kernels() - before)[:, ~border].std(1).min() > 1e-3


def test_border_noise_is_the_ratio_of_spreads() -> None:
    spread = layer.pixel_spread(smooth_images(size=28))
    weights = torch.randn((50, 28, 28), generator=torch.Generator().manual_seed(0))
    assert layer.border_noise(weights, spread) == pytest.approx(1, abs=0.05)
    weights[:, spread == 0] *= 0.1
    assert layer.border_noise(weights, spread) == pytest.approx(0.1, abs=0.01)


def test_what_the_pictures_do_not_show_is_not_a_number() -> None:
    weights = torch.randn((5, 4, 4), generator=torch.Generator().manual_seed(0))
    everywhere = torch.ones(4, 4)
    assert math.isnan(layer.border_noise(weights, everywhere))
    found = layer.measure(weights, torch.rand(10, 5), everywhere)
    assert math.isnan(found.border_noise) and not found.smoothness.isnan().any()
    dot = torch.zeros(4, 4)
    dot[1, 1] = 1
    found = layer.measure(weights, torch.rand(10, 5), dot)
    assert found.smoothness.shape == (5,) and found.smoothness.isnan().all()
    assert not layer.dead(found, "noise").any()
    assert sorted(layer.order(found, "smoothness").tolist()) == list(range(5))


def test_a_class_with_one_picture_has_no_mean() -> None:
    found = layer.by_class(torch.tensor([1.0, 3.0, 7.0]), torch.tensor([0, 0, 2]), 3)
    assert found[0] == pytest.approx((2.0, 1.0))
    assert all(math.isnan(value) for pair in found[1:] for value in pair)


def test_order_is_a_permutation_largest_first() -> None:
    kernels = measure(tiny_model(), smooth_images())
    for by in layer.ORDERS:
        assert sorted(layer.order(kernels, by).tolist()) == list(range(8))
    ordered = kernels.strength[layer.order(kernels, "strength")]
    assert (ordered.diff() <= 0).all()


def test_reconstruction_errors_do_not_depend_on_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = tiny_model(), smooth_images(50)
    whole = layer.reconstruction_errors(model, x)
    assert torch.allclose(whole, (model.reconstruct(x) - x).square().mean((1, 2, 3)))
    monkeypatch.setattr(layer, "BATCH", 7)
    assert torch.allclose(layer.reconstruction_errors(model, x), whole)


def test_mean_and_stderr() -> None:
    assert layer.mean_and_stderr(torch.tensor([1.0, 3.0])) == pytest.approx((2.0, 1.0))
    with pytest.raises(ValueError, match="at least 2 values"):
        layer.mean_and_stderr(torch.tensor([1.0]))


def test_every_family_with_kernels_can_be_measured() -> None:
    x = smooth_images(size=28)
    seen = 0
    for family in FAMILIES.values():
        model = family(family.Config()).eval()
        if not hasattr(model, "kernels"):
            continue
        seen += 1
        spread = layer.pixel_spread(x)
        found = layer.measure(model.kernels().detach(), layer.activations(model, x), spread)
        assert found.weights.shape[1:] == (28, 28)
        assert len(found.activity) == len(found.weights)
    assert seen >= 3


def test_colours_are_symmetric_around_zero() -> None:
    values = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0]).numpy()
    assert level(values, 1.0).tolist() == [0, 0, 128, 255, 255]
    red_minus_blue = diverging(values, 1.0).astype(int) @ [1, 0, -1]
    assert red_minus_blue[0] < 0 < red_minus_blue[-1]
    assert abs(red_minus_blue[2]) < 8
    assert PALETTE.shape == (256, 3)
