"""Readings, ranks, saliency and changes of one digit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genlib.explore import changes, dossier
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.models.gan import MLPGAN, MLPGANSettings
from genlib.models.pca import PCA, PCASettings
from genlib.models.vae import VAE, VAESettings


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def names(model: torch.nn.Module) -> list[str]:
    return [reading.name for reading in dossier.readings_of(model)]


def test_each_model_gives_its_own_numbers(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    vae = VAE(VAESettings(latent_dim=2, hidden=(8,))).eval()
    assert names(vae) == ["−ELBO", "KL(q‖p)", "Reconstruction error"]
    found = dossier.measure(vae, x)
    q = vae.encode(x)
    normal = torch.distributions.Normal(q.mu, (0.5 * q.logvar).exp())
    kl = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1)
    assert found["KL(q‖p)"] == pytest.approx(kl.detach().numpy(), rel=1e-4)
    alone = [dossier.measure(vae, image)["−ELBO"][0] for image in x.split(1)]
    assert found["−ELBO"] == pytest.approx(np.array(alone), rel=1e-5)
    gan = MLPGAN(MLPGANSettings(hidden=(8,))).eval()
    assert names(gan) == ["D(x)"]
    assert dossier.measure(gan, x)["D(x)"] == pytest.approx(
        gan.verdict(x).sigmoid().detach().numpy(), rel=1e-5
    )
    assert names(PCA(PCASettings(latent_dim=2))) == ["−log p(x)", "Reconstruction error"]


def test_strangeness_ranks_from_0_to_1_and_minds_the_direction() -> None:
    real = np.arange(10.0)
    energy = next(r for r in dossier.READINGS if r.name == "Energy")
    real_d = next(r for r in dossier.READINGS if r.name == "D(x)")
    assert dossier.strangeness(-1.0, real, energy) == 0.0
    assert dossier.strangeness(99.0, real, energy) == 1.0
    assert dossier.strangeness(4.5, real, energy) == 0.5
    assert dossier.strangeness(4.0, real, energy) == pytest.approx(0.45)
    assert dossier.strangeness(99.0, real, real_d) == 0.0
    assert dossier.strangeness(-1.0, real, real_d) == 1.0


def test_saliency_is_the_gradient_of_the_class_score(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = Classifier(ClassifierSettings(width=2, dense=8)).eval().requires_grad_(False)
    model = model.double()
    image, cls = x[:1].double(), torch.tensor([3])
    shown = dossier.saliency(model, image, cls)
    step = 1e-6
    for i, j in ((14, 14), (5, 20)):
        up = image.clone()
        up[0, 0, i, j] += step
        slope = (model.logits(up)[0, 3] - model.logits(image)[0, 3]).item() / step
        assert shown[0, i, j].item() == pytest.approx(abs(slope), rel=1e-3, abs=1e-7)
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("name", changes.CHANGES)
def test_changes_keep_shape_and_range(name: str, x: torch.Tensor) -> None:
    change = changes.CHANGES[name]
    for amount in (change.low, change.start, change.high):
        changed = change.apply(x, amount, x[0])
        assert changed.shape == x.shape
        assert changed.min() >= 0 and changed.max() <= 1
        assert torch.equal(changed, change.apply(x, amount, x[0]))
    if name != "merge":
        nothing = 0.0
        assert torch.allclose(change.apply(x, nothing, x[0]), x, atol=1e-5)


def test_changes_do_what_they_say(x: torch.Tensor) -> None:
    assert torch.allclose(changes.merge(x, 0.25, x[0]), 0.75 * x + 0.25 * x[0])
    assert torch.allclose(changes.turn(x, 90, x[0]), x.rot90(-1, (2, 3)), atol=1e-4)
    moved = changes.shift(x, 3, x[0])
    assert torch.equal(moved[..., 3:], x[..., :-3]) and not moved[..., :3].any()
    assert torch.equal(changes.shift(x, -3, x[0])[..., :-3], x[..., 3:])
    assert torch.allclose(changes.invert(x, 1, x[0]), 1 - x)
    mixed = changes.shuffle(x, 1, x[0]).flatten(1)
    assert torch.equal(mixed.sort(1).values, x.flatten(1).sort(1).values)
    assert not torch.equal(mixed, x.flatten(1))
    spread = (changes.noise(torch.full_like(x, 0.5), 0.1, x[0]) - 0.5).std().item()
    assert spread == pytest.approx(0.1, rel=0.1) and math.isfinite(spread)
