"""Parameterisations and transforms: round trips, the lecture's jitter and step, blur."""

from __future__ import annotations

import pytest
import torch

from genlib.explore.ascent.climb import TRANSFORMS, Ascent, blur, roll, transform
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens
from genlib.explore.ascent.parameterisations import PARAMETERISATIONS
from tests.helpers import rng


@pytest.mark.parametrize("name", list(PARAMETERISATIONS))
@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (1, 3, 15, 22), (1, 3, 9, 7)])
def test_a_picture_survives_the_round_trip(name: str, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, generator=rng())
    there = PARAMETERISATIONS[name].parameters(x)
    torch.testing.assert_close(
        PARAMETERISATIONS[name].image(there, shape[-1]), x, rtol=0, atol=1e-4
    )


def test_undoing_the_jitter_is_exact() -> None:
    x = torch.randn(2, 3, 9, 11, generator=rng())
    for down, right in ((3, -5), (-8, 2), (0, 10)):
        assert torch.equal(roll(roll(x, down, right), -down, -right), x)


def test_jitter_rolls_the_gradient_back_as_the_lecture_does(lens: Lens) -> None:
    x = torch.rand(1, 1, 28, 28, generator=rng())
    ascent = Ascent(lens, x, (3,), Knobs(lr=1.0, jitter=4, clip=False), rng(5))
    draw = rng(5)
    down, right = torch.randint(-4, 5, (2,), generator=draw).tolist()
    assert (down, right) != (0, 0)
    rolled = roll(x, down, right).requires_grad_()
    (dx,) = torch.autograd.grad(lens.scores(rolled)[0, 3], rolled)
    ascent.advance()
    torch.testing.assert_close(ascent.image, roll(rolled.detach() + dx, -down, -right))


def test_the_step_is_the_lectures(lens: Lens) -> None:
    x = torch.rand(1, 1, 28, 28, generator=rng())
    leaf = x.clone().requires_grad_()
    (dx,) = torch.autograd.grad(lens.scores(leaf)[0, 6], leaf)
    ascent = Ascent(lens, x, (6,), Knobs(lr=0.3, l2=0.1, clip=False), rng())
    ascent.advance()
    torch.testing.assert_close(ascent.image, x + 0.3 * (dx - 2 * 0.1 * x))
    torch.testing.assert_close(ascent.grad_norm, dx.norm()[None])


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_a_transform_keeps_the_size_and_a_constant_picture(name: str) -> None:
    x = torch.full((2, 3, 16, 20), 0.4)
    for seed in range(3):
        y = transform(x, {name: 3 if name == "jitter" else 0.3}, rng(seed))
        torch.testing.assert_close(y, x)


def test_half_a_turn_is_both_flips() -> None:
    x = torch.rand(1, 1, 8, 12, generator=rng())
    # the largest draw of a huge amount is as good as any: compare with the angle it drew
    angle = 2 * float(torch.rand((), generator=rng(3))) - 1
    y = TRANSFORMS["rotate"](x, 180 / abs(angle), rng(3))
    torch.testing.assert_close(y, x.flip(-1, -2), rtol=0, atol=1e-4)


def test_blur_keeps_the_mean_grey_and_is_symmetric() -> None:
    x = torch.zeros(1, 2, 21, 21)
    x[..., 10, 10] = 1
    y = blur(x, 1.3)
    torch.testing.assert_close(y.sum((2, 3)), torch.ones(1, 2))
    torch.testing.assert_close(y, y.flip(-1).flip(-2))
    assert torch.equal(blur(x, 0.0), x)
