"""The residual classifier: whitening, shapes, its optimizer, and that it learns."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from genlib.data import datasets
from genlib.models.residual import ResidualClassifier, Whiten
from genlib.settings import TrainSettings
from genlib.training import loop
from tests.helpers import build

SMALL = {"widths": (8, 12, 16)}


def small(**settings: object) -> ResidualClassifier:
    return build("residual_classifier", **{"channels": 3, **SMALL, **settings})


@pytest.mark.parametrize(("channels", "size"), [(1, 16), (1, 28), (3, 32), (3, 64), (4, 32)])
def test_any_picture_of_16_pixels_or_more(channels: int, size: int) -> None:
    model = small(channels=channels, image_size=size, n_classes=7).eval()
    x = torch.rand(3, channels, size, size)
    assert model.logits(x).shape == (3, 7) and model.features(x).shape == (3, 16)
    model.eval()
    assert torch.equal(model.logits_of(model.features(x)), model.logits(x))


def test_smaller_ones_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="image_size must be at least 16 for 3 widths, got 12"):
        small(image_size=12)


def test_whitening_loses_nothing_and_sees_grey_only_through_brightness() -> None:
    whiten = Whiten(3)
    positive = whiten.weight[:12].flatten(1)
    assert torch.linalg.matrix_rank(positive) == 12
    assert torch.equal(whiten.weight[12:], -whiten.weight[:12])
    gram = F.normalize(positive, dim=1)
    assert torch.allclose(gram @ gram.T, torch.eye(12), atol=1e-6)
    grey = torch.rand(2, 1, 8, 8).expand(2, 3, 8, 8)
    out = whiten(grey).view(2, 2, 4, 3, 7, 7)
    assert out[:, :, :, 1:].abs().max() < 1e-4 < out[:, :, :, 0].abs().max()


def test_only_convolutions_and_the_last_layer_decay() -> None:
    (optimizer,) = small().optimizers(0.1, 0.01).values()
    decayed, kept = optimizer.param_groups
    assert decayed["weight_decay"] == 0.01 and kept["weight_decay"] == 0
    assert all(p.ndim > 1 for p in decayed["params"]) and all(p.ndim == 1 for p in kept["params"])
    count = len(decayed["params"]) + len(kept["params"])
    assert count == len(list(small().parameters()))


def test_the_test_loss_is_plain_cross_entropy_and_the_training_loss_is_smoothed() -> None:
    model, rng = small(smoothing=0.3), torch.Generator()
    x, y = torch.rand(6, 3, 28, 28), torch.arange(6)
    logits = model.eval().logits(x)
    assert model.losses(x, y, rng)["loss"].item() == pytest.approx(
        F.cross_entropy(logits, y).item()
    )
    log_p = model.train().logits(x).log_softmax(1)
    target = 0.7 * F.one_hot(y, 10) + 0.03
    smoothed = -(target * log_p).sum(1).mean()
    assert model.losses(x, y, rng)["loss"].item() == pytest.approx(smoothed.item(), rel=1e-5)


def test_it_learns_to_tell_colours_apart() -> None:
    torch.manual_seed(0)
    model, rng = small(image_size=16), torch.Generator()
    y = torch.arange(60) % 3
    x = torch.rand(60, 3, 16, 16) * 0.5 + 0.3 * F.one_hot(y, 3)[:, :, None, None]
    optimizers = model.train().optimizers(0.1, 1e-3)
    for _ in range(50):
        model.step(x, y, rng, optimizers, torch.enable_grad)
    assert model.eval().losses(x, y, rng)["accuracy"] == 1


def test_the_default_rate_does_not_diverge_on_few_pictures() -> None:
    data = datasets.load("digits")
    data = replace(data, test_x=data.test_x[:100], test_y=data.test_y[:100])
    given = {"epochs": 6, "limit": 375, "batch_size": 128, "augment": "none"}
    exact = {"precision": "float32", "threads": 1}
    settings = TrainSettings.from_dict({**ResidualClassifier.defaults, **given, **exact})
    model = loop.build("residual_classifier", {"widths": (8, 16, 24)}, data, 0)
    events = [e for e in loop.train(model, data, settings) if e.kind == "epoch"]
    losses = [e.metrics["test/loss"] for e in events]
    assert max(losses) < 2 * math.log(10), "never worse than twice what guessing gives"
    assert losses[-1] < 0.9 * math.log(10)
