"""The small network that the tests of gradient ascent share, and its lens."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genlib.explore.ascent.lens import Lens, Network
from genlib.models.classifier import Classifier, ClassifierSettings
from tests.explore.ascent.climbing import CPU, TEN
from tests.helpers import rng


@pytest.fixture(scope="module")
def network() -> Network:
    """An untrained classifier whose batch norms have seen something."""
    model = Classifier(ClassifierSettings(width=8, dense=16))
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=rng(p.numel())) * 0.3)
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(generator=rng(1))
                part.running_var.uniform_(0.5, 2.0, generator=rng(2))
    return Network("tiny", "Tiny", model.eval().requires_grad_(False), TEN, (1, 28, 28))


@pytest.fixture(scope="module")
def lens(network: Network) -> Lens:
    return Lens(network, CPU, torch.float32)
