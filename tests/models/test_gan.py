"""GAN losses at known points; alternating steps touch only their own half."""

from __future__ import annotations

import contextlib
import math

import pytest
import torch

from genlib.models import FAMILIES
from genlib.models.ebgan import hinge
from genlib.models.gan import discriminator_loss, minimax, non_saturating

GANS = {"gan_mlp": "discriminator", "dcgan_28": "discriminator", "ebgan": "cost"}


def test_losses_when_d_knows_nothing() -> None:
    zero = torch.zeros(4)
    assert discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert non_saturating(zero).item() == pytest.approx(math.log(2))
    assert minimax(zero).item() == pytest.approx(-math.log(2))


def test_minimax_gradient_vanishes_where_d_wins_and_non_saturating_does_not() -> None:
    logit = torch.full((1,), -12.0, requires_grad=True)
    (weak,) = torch.autograd.grad(minimax(logit), logit)
    (strong,) = torch.autograd.grad(non_saturating(logit), logit)
    assert abs(weak.item()) < 1e-4 and strong.item() == pytest.approx(-1.0, abs=1e-4)


def test_hinge_gives_no_gradient_above_the_margin() -> None:
    fake = torch.tensor([5.0, 15.0], requires_grad=True)
    loss = hinge(torch.tensor([2.0, 4.0]), fake, 10.0)
    assert loss.item() == pytest.approx(3.0 + 2.5)
    (grad,) = torch.autograd.grad(loss, fake)
    assert grad.tolist() == [-0.5, 0.0]


@pytest.mark.parametrize(("family", "judge"), GANS.items())
def test_a_step_moves_both_halves_and_thaws_the_judge(family: str, judge: str) -> None:
    torch.manual_seed(0)
    model = FAMILIES[family](FAMILIES[family].Config.from_dict({"latent_dim": 4}))
    before = {k: v.clone() for k, v in model.named_parameters()}
    x = torch.rand(8, 1, 28, 28)
    optimizers = model.optimizers(1e-3, 0.0)
    rng = torch.Generator().manual_seed(0)
    terms = model.step(x, torch.zeros(8), rng, optimizers, contextlib.nullcontext)
    moved = {k.split(".")[0] for k, v in model.named_parameters() if not torch.equal(v, before[k])}
    assert moved == {"generator", judge}
    assert all(p.requires_grad for p in model.parameters())
    assert all(math.isfinite(float(v)) for v in terms.values())
