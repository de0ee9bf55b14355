"""Principal components and mixtures: exact densities, scikit-learn's numbers, samples, EM."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn import decomposition, mixture

from genlib.data import datasets
from genlib.explore.pca import components
from genlib.models.mixture import RIDGE, Mixture, MixtureSettings
from genlib.models.pca import PCA, PCASettings
from genlib.settings import TrainSettings
from genlib.store.recipes import RECIPES
from genlib.training import loop


@pytest.fixture
def x() -> torch.Tensor:
    """400 images of 4x4 with six strong directions and a little noise, inside [0, 1]."""
    rng = torch.Generator().manual_seed(0)
    mix = torch.randn(6, 16, generator=rng) * torch.linspace(0.12, 0.03, 6)[:, None]
    flat = 0.5 + torch.randn(400, 6, generator=rng) @ mix
    return (flat + 0.01 * torch.randn(400, 16, generator=rng)).clamp(0, 1).view(-1, 1, 4, 4)


def fitted(x: torch.Tensor, d: int = 4, batch: int = 400) -> PCA:
    torch.manual_seed(0)
    model = PCA(PCASettings(image_size=4, latent_dim=d)).eval().requires_grad_(False)
    for part in x.split(batch):
        model.absorb(part)
    return model


def test_axes_variances_and_noise_are_those_of_scikit_learn(x: torch.Tensor) -> None:
    model, flat = fitted(x), x.flatten(1).double().numpy()
    theirs = decomposition.PCA(4, svd_solver="full").fit(flat)
    cosines = np.abs((model.axes().double().numpy() * theirs.components_).sum(1))
    assert cosines == pytest.approx(np.ones(4), abs=1e-4)
    bias = (len(x) - 1) / len(x)  # they divide by n - 1, maximum likelihood by n
    assert model.variances().numpy() == pytest.approx(theirs.explained_variance_ * bias, rel=1e-3)
    assert model.log_noise.exp().item() == pytest.approx(theirs.noise_variance_ * bias, rel=1e-3)
    back = theirs.inverse_transform(theirs.transform(flat)).clip(0, 1)
    assert model.reconstruct(x).flatten(1).numpy() == pytest.approx(back, abs=1e-4)
    assert model.decode(model.embed(x)).numpy() == pytest.approx(model.reconstruct(x).numpy())


def test_all_components_are_those_of_scikit_learn() -> None:
    x = datasets.load("digits").train_x
    found = components(x)
    flat = x.flatten(1).numpy().astype(np.float64) / 255
    known = decomposition.PCA(svd_solver="full").fit(flat)
    variances = known.explained_variance_ * (len(x) - 1) / len(x)
    np.testing.assert_allclose(found.mean, known.mean_, atol=1e-6)
    np.testing.assert_allclose(found.variances[: len(variances)], variances, atol=1e-5)
    same = (found.axes[:20].astype(np.float64) * known.components_[:20]).sum(1)
    np.testing.assert_allclose(np.abs(same), 1, atol=1e-5)


def test_density_is_that_of_the_gaussian_written_out(x: torch.Tensor) -> None:
    model = fitted(x, d=2)
    w = model.linear.weight.double().numpy()
    covariance = w @ w.T + model.log_noise.exp().item() * np.eye(16)
    normal = multivariate_normal(model.linear.bias.double().numpy(), covariance)
    ours = model.log_density(x[:20]).numpy()
    assert ours == pytest.approx(normal.logpdf(x[:20].flatten(1).double().numpy()), rel=1e-4)
    assert torch.equal(model.energy(x), -model.log_density(x))


def test_density_integrates_to_one() -> None:
    torch.manual_seed(0)
    model = PCA(PCASettings(image_size=2, latent_dim=1)).requires_grad_(False)
    flat = 0.5 + torch.randn(500, 4) * torch.tensor([0.15, 0.1, 0.12, 0.1])
    model.absorb(flat.view(-1, 1, 2, 2))
    rng = torch.Generator().manual_seed(1)
    points = torch.rand(200_000, 1, 2, 2, generator=rng) * 2 - 0.5  # volume 2^4
    values = model.log_density(points).exp().double() * 16
    error = values.std() / len(values) ** 0.5
    assert values.mean().item() == pytest.approx(1.0, abs=5 * error.item())


def test_batches_one_by_one_find_nearly_the_axes_of_all_at_once(x: torch.Tensor) -> None:
    whole, parts = fitted(x, d=6), fitted(x, d=6, batch=50)
    angles = torch.linalg.svdvals(whole.axes() @ parts.axes().t())
    assert angles.min() > 0.99
    assert torch.allclose(whole.linear.bias, parts.linear.bias, atol=1e-5)
    assert int(parts.seen) == 400
    exact = whole.log_density(x).mean().item()
    assert parts.log_density(x).mean().item() == pytest.approx(exact, rel=0.01)


def test_the_fit_is_the_maximum_of_the_likelihood(x: torch.Tensor) -> None:
    model = fitted(x, d=3).requires_grad_(True)
    best = model.log_density(x).mean()
    grads = torch.autograd.grad(best, [model.linear.weight, model.linear.bias, model.log_noise])
    assert max(g.abs().max().item() for g in grads) < 0.02
    with torch.no_grad():
        model.log_noise.add_(0.1)
        assert model.log_density(x).mean() < best


def test_samples_have_the_model_s_moments() -> None:
    model = PCA(PCASettings(image_size=4, latent_dim=3)).requires_grad_(False)
    model.absorb(0.5 + 0.05 * torch.randn(300, 1, 4, 4))
    drawn = model.sample(20_000, torch.Generator().manual_seed(0)).flatten(1)
    assert drawn.mean(0).numpy() == pytest.approx(model.linear.bias.numpy(), abs=0.005)
    expected = (model.linear.weight @ model.linear.weight.t()).numpy()
    assert np.cov(drawn.t().numpy()) == pytest.approx(expected, abs=2e-4)


def test_as_many_axes_as_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="latent_dim must be below the 4 pixels, got 4"):
        PCA(PCASettings(image_size=2, latent_dim=4))


# ---------------------------------------------------------------------------------- mixture


def clusters() -> torch.Tensor:
    """Three groups of 4x4 images, 200 each, far apart."""
    rng = torch.Generator().manual_seed(0)
    centres = torch.rand(3, 16, generator=rng)
    flat = centres.repeat(200, 1) + 0.03 * torch.randn(600, 16, generator=rng)
    return flat.view(-1, 1, 4, 4)


def trained(x: torch.Tensor, k: int = 3, steps: int = 60) -> Mixture:
    torch.manual_seed(0)
    config = MixtureSettings(image_size=4, latent_dim=3, components=k, warm_up=len(x))
    model = Mixture(config).eval().requires_grad_(False)
    for _ in range(steps):
        model.step(x, x)
    return model


def test_mixture_density_is_scikit_learn_s() -> None:
    x = clusters()
    model = trained(x)
    along = model.pca.project(x).double()
    theirs = mixture.GaussianMixture(3, covariance_type="full")
    theirs.weights_ = model.weights().double().numpy()
    theirs.means_ = model.means.double().numpy()
    precisions = torch.linalg.inv(model.factors.double()).mT
    theirs.precisions_cholesky_ = precisions.numpy()
    theirs.precisions_ = (precisions @ precisions.mT).numpy()
    ours = model.log_joint(model.pca.project(x))
    assert ours.logsumexp(1).numpy() == pytest.approx(theirs.score_samples(along.numpy()), rel=1e-3)
    assert model.responsibilities(x).numpy() == pytest.approx(
        theirs.predict_proba(along.numpy()), abs=1e-3
    )


def test_one_component_is_probabilistic_pca() -> None:
    x = clusters()
    model = trained(x, k=1, steps=300)
    assert torch.allclose(model.means, torch.zeros(1, 3), atol=0.01)
    covariance = (model.factors[0] @ model.factors[0].t()).numpy()
    assert covariance == pytest.approx(np.diag(model.pca.variances()), abs=2 * RIDGE)


def test_em_finds_the_groups_and_gains_likelihood() -> None:
    x = clusters()
    model = trained(x)
    group = model.responsibilities(x).argmax(1).view(-1, 3)
    assert (group == group[0]).all() and len(set(group[0].tolist())) == 3
    assert model.weights().numpy() == pytest.approx(np.full(3, 1 / 3), abs=0.01)
    assert model.log_density(x).mean() > model.pca.log_density(x).mean() + 1
    centres = x.view(-1, 3, 16).mean(0).clamp(0, 1)
    found = model.component_means().flatten(1)[group[0]]
    assert found.numpy() == pytest.approx(centres.numpy(), abs=0.03)


def test_a_sample_of_a_component_belongs_to_it() -> None:
    model = trained(clusters())
    wanted = torch.arange(3).repeat(20)
    drawn = model.sample_of(wanted, torch.Generator().manual_seed(0))
    assert torch.equal(model.responsibilities(drawn).argmax(1), wanted)
    shares = model.responsibilities(model.sample(3000, torch.Generator().manual_seed(0))).mean(0)
    assert shares.numpy() == pytest.approx(model.weights().numpy(), abs=0.04)


def test_more_components_than_images_do_no_harm() -> None:
    x = clusters()[:5]
    config = MixtureSettings(image_size=4, latent_dim=2, components=9, warm_up=5)
    model = Mixture(config).eval().requires_grad_(False)
    for _ in range(5):
        loss = model.step(x, x)["loss"]
    assert bool(loss.isfinite()) and bool(model.log_density(x).isfinite().all())


@pytest.mark.parametrize("limit", [150, 0])
def test_a_small_dataset_trains_axes_and_components(limit: int) -> None:
    data = datasets.load("digits")
    settings = TrainSettings(epochs=3, batch_size=1000, limit=limit, precision="float32", threads=1)
    model = loop.build("mixture", {"latent_dim": 4, "components": 5}, data, 0)
    assert isinstance(model, Mixture)
    losses = [
        e.metrics["test/loss"] for e in loop.train(model, data, settings) if e.kind == "epoch"
    ]
    per_epoch = len(datasets.batch_sizes(limit or 1437, 1000))
    assert int(model.steps) == 2 * per_epoch, "the first epoch is for the axes, the others for EM"
    assert losses[-1] < losses[0]


def test_the_shipped_mixture_s_schedule_is_what_it_was() -> None:
    """60,000 images set the axes, whether that is derived or, as in its file, written down."""
    recipe = TrainSettings.from_dict(RECIPES["mixture-50"].train)
    for config in (RECIPES["mixture-50"].model, {"warm_up": 60_000}):
        model = Mixture(MixtureSettings.from_dict(config))
        model.plan(60_000, recipe.epochs, 480)
        assert model.warm_up == 60_000
    model.plan(1000, 4, 4)
    assert model.warm_up == 2000, "at most half, so that EM has its share"
    with pytest.raises(ValueError, match="at least 2 training steps"):
        model.plan(100, 1, 1)
