"""Augmentation: mirrored and moved images, the same for the same random numbers."""

from __future__ import annotations

import pytest
import torch

from genlib.data.datasets import AUGMENTS, flip, flip_shift


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(200, 3, 32, 32, generator=seeded(9))


@pytest.mark.parametrize("name", AUGMENTS)
def test_same_numbers_same_images_and_the_batch_is_left_alone(name: str, x: torch.Tensor) -> None:
    kept = x.clone()
    a, b = AUGMENTS[name](x, seeded()), AUGMENTS[name](x, seeded())
    assert torch.equal(a, b) and torch.equal(x, kept) and a.shape == x.shape
    assert torch.equal(a, x) == (name == "none")


def test_flip_mirrors_about_half_and_nothing_else(x: torch.Tensor) -> None:
    out = flip(x, seeded())
    kept = (out == x).flatten(1).all(1)
    assert (kept | (out == x.flip(3)).flatten(1).all(1)).all()
    assert 70 < kept.sum() < 130


def test_shift_moves_by_at_most_two_of_32_pixels_in_both_directions(x: torch.Tensor) -> None:
    dot = torch.zeros(500, 1, 32, 32)
    dot[:, :, 10, 15:17] = 1  # its own mirror image
    place = flip_shift(dot, seeded()).flatten(1).argmax(1)
    rows, columns = place // 32, place % 32
    assert set(rows.tolist()) == set(range(8, 13)) and set(columns.tolist()) == set(range(13, 18))
    middle = flip_shift(x, seeded())
    assert middle.min() >= 0 and middle.max() <= 1, "what comes in is a reflection, not black"
    assert middle.mean().item() == pytest.approx(x.mean().item(), abs=0.01)
