"""The moving average of G and differentiable augmentation do what their equations say."""

from __future__ import annotations

import contextlib
from typing import cast

import pytest
import torch
from torch import Tensor

from genlib.models.gan import GAN, POLICIES, colour, cutout, diff_augment, translation
from tests.helpers import build

SMALL: dict[str, dict[str, object]] = {
    "gan_mlp": {"latent_dim": 4, "hidden": [8]},
    "dcgan_28": {"latent_dim": 4, "width": 8},
    "dcgan_64": {"latent_dim": 4, "ngf": 4, "ndf": 4},
}


def small(family: str, **settings: object) -> GAN:
    return cast(GAN, build(family, **SMALL[family], **settings))


def trained(model: GAN, steps: int) -> list[dict[str, Tensor]]:
    """G's weights before and after each step."""
    x, rng = torch.rand(8, 1, 28, 28), torch.Generator().manual_seed(0)
    optimizers = model.train().optimizers(1e-2, 0.0)

    def weights() -> dict[str, Tensor]:
        return {k: v.clone() for k, v in model.generator.state_dict().items()}

    seen = [weights()]
    for _ in range(steps):
        model.step(x, torch.zeros(8), rng, optimizers, contextlib.nullcontext)
        seen.append(weights())
    return seen


@pytest.mark.parametrize("family", SMALL)
def test_the_average_is_the_recursion_over_all_steps(family: str) -> None:
    model = small(family, average=0.5)
    seen = trained(model, 12)
    assert model.averaged is not None
    for name, value in model.averaged.state_dict().items():
        expected = seen[0][name]
        for n, now in enumerate(seen[1:], 1):
            decay = min(0.5, (1 + n) / (10 + n))
            expected = decay * expected + (1 - decay) * now[name]
        if value.is_floating_point():
            assert torch.allclose(value, expected, rtol=1e-4, atol=1e-6), name


@pytest.mark.parametrize("family", SMALL)
def test_the_average_draws_outside_training_and_g_itself_within(family: str) -> None:
    model = small(family, average=0.9)
    trained(model, 3)
    z = torch.randn(5, 4)
    assert model.averaged is not None
    with torch.no_grad():
        assert torch.equal(model.train().decode(z), model.generator(z))
        assert torch.equal(model.eval().decode(z), model.averaged(z))
        assert not torch.allclose(model.decode(z), model.generator.eval()(z))
        plain = model.without_average()
        assert plain.averaged is None and torch.equal(plain.decode(z), model.decode(z))


def test_without_an_average_nothing_is_stored_for_it() -> None:
    names = set(small("gan_mlp").state_dict())
    assert {name.split(".")[0] for name in names} == {"generator", "discriminator"}


def test_the_optimizers_leave_the_average_alone() -> None:
    model = small("gan_mlp", average=0.99)
    owned = {
        id(p)
        for o in model.optimizers(1e-3, 0.0).values()
        for g in o.param_groups
        for p in g["params"]
    }
    assert model.averaged is not None
    assert not owned & {id(p) for p in model.averaged.parameters()}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_policy_keeps_the_shape_and_passes_gradients(policy: str, channels: int) -> None:
    x = torch.rand(6, channels, 16, 16, requires_grad=True)
    out = diff_augment(x, policy, torch.Generator().manual_seed(1))
    assert out.shape == x.shape
    (grad,) = torch.autograd.grad(out.square().sum(), x)
    assert (grad.flatten(1).abs().sum(1) > 0).all()


def test_the_same_seed_changes_images_in_the_same_way() -> None:
    x = torch.rand(6, 3, 16, 16)
    a, b, c = (
        diff_augment(x, "colour_translation_cutout", torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_translation_moves_whole_images_and_fills_with_black() -> None:
    x = torch.zeros(64, 1, 16, 16)
    x[:, :, 8, 8] = 1
    moved = translation(x, torch.Generator().manual_seed(0))
    assert torch.equal(moved.sum((1, 2, 3)), torch.ones(64))
    places = moved.flatten(1).argmax(1)
    rows, columns = places // 16, places % 16
    assert rows.min() == columns.min() == 6 and rows.max() == columns.max() == 10


def test_cutout_hides_at_most_a_quarter_of_the_image_and_something_of_each() -> None:
    hidden = (cutout(torch.ones(64, 3, 16, 16), torch.Generator().manual_seed(0)) == 0).float()
    share = hidden.mean((1, 2, 3))
    assert (share > 0).all() and share.max() <= 81 / 256
    assert torch.equal(hidden[:, 0], hidden[:, 2])


def test_colour_changes_neither_place_nor_order_of_brightness_in_grey() -> None:
    x = torch.rand(8, 1, 6, 6)
    out = colour(x, torch.Generator().manual_seed(0))
    assert torch.equal(x.flatten(1).argsort(1), out.flatten(1).argsort(1))


def test_d_and_g_see_changed_images_in_training_only() -> None:
    model = small("gan_mlp", diff_augment="translation_cutout")
    x = torch.rand(4, 1, 28, 28)
    rng = torch.Generator().manual_seed(0)
    before = rng.get_state()
    model.eval().verdict(x)
    assert torch.equal(rng.get_state(), before)
    optimizers = model.optimizers(1e-3, 0.0)
    model.step_d(x, x, rng, optimizers, contextlib.nullcontext)
    assert not torch.equal(rng.get_state(), before)
