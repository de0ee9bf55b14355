"""Adversarial examples stay in their ball and raise the loss; training sees them, tests do not."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from genlib.models.adversarial import pgd_l2
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.models.residual import ResidualClassifier, ResidualSettings

Attacked = Classifier | ResidualClassifier


def small(family: str, eps: float) -> Attacked:
    torch.manual_seed(0)
    if family == "classifier":
        return Classifier(ClassifierSettings(width=4, dense=8, adversarial_eps=eps))
    return ResidualClassifier(ResidualSettings(widths=(8, 12), adversarial_eps=eps))


@pytest.mark.parametrize("family", ["classifier", "residual"])
def test_the_attack_stays_in_its_ball_and_in_range_and_raises_the_loss(family: str) -> None:
    model = small(family, 1.0).eval()
    x, y = torch.rand(16, 1, 28, 28), torch.arange(16) % 10
    moved = pgd_l2(model.logits, x, y, 1.0, 4, torch.Generator().manual_seed(0))
    assert (moved - x).flatten(1).norm(dim=1).max() <= 1.0 + 1e-4
    assert moved.min() >= 0 and moved.max() <= 1 and not moved.requires_grad
    before = F.cross_entropy(model.logits(x), y)
    assert F.cross_entropy(model.logits(moved), y) > before


def test_a_linear_classifier_is_attacked_along_its_weights() -> None:
    weight = torch.randn(2, 9, generator=torch.Generator().manual_seed(0))
    x, y = torch.full((1, 1, 3, 3), 0.5), torch.zeros(1, dtype=torch.int64)
    rng = torch.Generator().manual_seed(0)
    moved = pgd_l2(lambda v: v.flatten(1) @ weight.t(), x, y, 0.1, 20, rng)
    best = F.normalize(weight[1] - weight[0], dim=0)  # the worst direction, in closed form
    assert F.cosine_similarity((moved - x).flatten(), best, dim=0) > 0.97


@pytest.mark.parametrize("family", ["classifier", "residual"])
def test_only_training_sees_the_attack_and_weights_get_no_gradient_from_it(family: str) -> None:
    model = small(family, 0.5)
    x, y = torch.rand(8, 1, 28, 28), torch.arange(8)
    rng = torch.Generator().manual_seed(0)
    state = rng.get_state()
    assert model.eval().attacked(x, y, rng) is x
    assert torch.equal(rng.get_state(), state)
    moved = model.train().attacked(x, y, rng)
    assert model.training and not torch.equal(moved, x)
    assert all(p.grad is None for p in model.parameters())


def test_without_eps_training_draws_no_random_numbers_for_it() -> None:
    model = small("classifier", 0.0).train()
    rng = torch.Generator().manual_seed(0)
    state = rng.get_state()
    model.losses(torch.rand(4, 1, 28, 28), torch.arange(4), rng)
    assert torch.equal(rng.get_state(), state)
