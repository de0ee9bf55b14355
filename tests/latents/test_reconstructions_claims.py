"""What Reconstructions says of the shipped models' errors, beyond its lessons."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from genlib.data.datasets import find_mnist
from genlib.ui.kit.evidence import named
from genlib.ui.latents import reconstructions

pytestmark = pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")


@pytest.mark.parametrize(("few", "many"), [("ae-30", "ae-500"), ("vae-2", "vae-20")])
def test_in_nets_of_one_kind_more_latents_mean_a_smaller_error(
    few: str, many: str, shipped: Path
) -> None:
    assert reconstructions.test_error(named(many))[0] < reconstructions.test_error(named(few))[0]


def test_pixels_at_the_border_are_black_in_nearly_every_digit(shipped: Path) -> None:
    x = reconstructions.data_of(named("ae-30")).test_x[:, 0]
    inside = torch.zeros(x.shape[1:], dtype=torch.bool)
    inside[1:-1, 1:-1] = True
    assert (x.masked_fill(inside, 0).flatten(1).amax(1) > 0).float().mean() < 0.02
