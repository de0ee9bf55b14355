"""Objectives: their gradients, and that an ascent raises them."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from genlib.explore.ascent.climb import Ascent
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens, Network
from genlib.explore.ascent.objectives import OBJECTIVES, Target
from genlib.explore.ascent.parameterisations import PARAMETERISATIONS
from tests.explore.ascent.climbing import CPU, TEN, climb
from tests.helpers import rng


def test_the_class_scores_gradient_is_one_for_the_target_and_zero_elsewhere() -> None:
    scores = torch.randn(3, 10, generator=rng(), requires_grad=True)
    target = Target(torch.tensor([4, 0, 9]))
    (g,) = torch.autograd.grad(OBJECTIVES["class score"](scores, target).sum(), scores)
    assert torch.equal(g, F.one_hot(target.classes, 10).float())


def test_layer_activation_sets_the_gradient_to_the_activation_itself(lens: Lens) -> None:
    layer = lens.layers[-1].name
    x = torch.rand(2, 1, 28, 28, generator=rng(), requires_grad=True)
    a = lens.activation(x, layer)
    (lecture,) = torch.autograd.grad(a, x, grad_outputs=a.detach(), retain_graph=True)
    value = OBJECTIVES["layer activation"](a, Target(torch.zeros(2).long()))
    torch.testing.assert_close(value, 0.5 * a.square().sum((1, 2, 3)))
    (ours,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(ours, lecture)


def test_a_channel_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="channel must be between 0 and 3, got 4"):
        OBJECTIVES["channel"](torch.rand(1, 4, 2, 2), Target(torch.zeros(1).long(), 4))


@pytest.mark.parametrize("name", list(OBJECTIVES))
@pytest.mark.parametrize("parameterisation", list(PARAMETERISATIONS))
def test_ascent_raises_every_objective(lens: Lens, name: str, parameterisation: str) -> None:
    layer = lens.layers[-1].name if OBJECTIVES[name].looks_at == "layer" else ""
    knobs = Knobs(name, layer, 0, parameterisation, lr=0.01, normalise=True, clip=False)
    ascent = climb(lens, knobs, 0, (3, 7))
    if layer:  # a channel that is alive; dead ones have a test of their own
        knobs.channel = int(lens.activation(ascent.image, layer).amin(0).mean((1, 2)).argmax())
    before = ascent.frame().value
    for _ in range(20):
        ascent.advance()
    assert (ascent.frame().value > before).all()


def test_a_dead_unit_is_climbed_before_its_relu() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        module[0].weight.fill_(0.5)
        module[0].bias.copy_(torch.tensor([-9.0, 0.1]))  # channel 0 is off for every picture
    dead = Lens(Network("dead", "Dead", module, TEN[:2], (1, 8, 8)), CPU, torch.float32)
    for knobs in (Knobs(lr=1.0), Knobs("channel", "1", 0, lr=1.0)):
        ascent = Ascent(dead, torch.full((1, 1, 8, 8), 0.2), (0,), knobs, rng())
        ascent.advance()
        assert ascent.grad_norm.item() == 0, "the plain gradient is zero, and shown as such"
        assert (ascent.image > 0.2).all(), "but the picture moves"
