"""What the page on PixelCNN says of the shipped model, beyond its lessons."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from genlib.data.datasets import find_mnist
from genlib.models.capabilities import Autoregressive
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digits, named

pytestmark = pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")


def test_digits_drawn_at_random_from_their_grey_values_cost_more(shipped: Path) -> None:
    model = loading.model(named("pixelcnn"))
    assert isinstance(model, Autoregressive)
    x = digits(100)[0]
    drawn = torch.bernoulli(x, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        rounded, random = (model.pixel_nll(v).sum() / len(v) for v in ((x > 0.5).float(), drawn))
    assert rounded + 5 < random
