"""Moves in latent space: what they must be exactly."""

from __future__ import annotations

import math

import pytest
import torch

from genlib.explore import latents
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.vae import VAE, VAESettings


@pytest.fixture
def vae() -> VAE:
    torch.manual_seed(0)
    return VAE(VAESettings(latent_dim=3, hidden=(16,), image_size=8)).eval()


def test_interpolation_ends_at_both_reconstructions(vae: VAE) -> None:
    x = torch.rand(2, 1, 8, 8)
    z = vae.embed(x).detach()
    amounts = torch.tensor([0.0, 0.25, 1.0])
    images = vae.decode(latents.between(z[0], z[1], amounts))
    ends = vae.reconstruct(x)
    assert torch.allclose(images[[0, 2]], ends, atol=1e-6)
    quarter = vae.decode((0.75 * z[0] + 0.25 * z[1])[None])
    assert torch.allclose(images[1], quarter[0], atol=1e-6)


def test_between_pixels_is_the_weighted_mean() -> None:
    a, b = torch.zeros(1, 2, 2), torch.ones(1, 2, 2)
    assert torch.allclose(latents.between(a, b, torch.tensor([0.3])), torch.full((1, 1, 2, 2), 0.3))


def test_a_traversal_changes_one_latent_only(vae: VAE) -> None:
    z = torch.randn(3)
    values = torch.stack([torch.linspace(-2, 2, 5), torch.linspace(0, 1, 5)])
    images = latents.traversals(vae, z, torch.tensor([2, 0]), values)
    assert images.shape == (2, 5, 1, 8, 8)
    by_hand = z.clone()
    by_hand[2] = values[0, 1]
    assert torch.allclose(images[0, 1], vae.decode(by_hand[None])[0], atol=1e-6)
    by_hand = z.clone()
    by_hand[0] = values[1, 4]
    assert torch.allclose(images[1, 4], vae.decode(by_hand[None])[0], atol=1e-6)


def test_kl_per_dimension_sums_to_the_kl_of_the_loss(vae: VAE) -> None:
    x = torch.rand(20, 1, 8, 8)
    of_the_loss = vae.losses(x, torch.zeros(20), torch.Generator())["kl"]
    assert torch.allclose(latents.kl_per_dimension(vae, x).sum(), of_the_loss, atol=1e-5)


def test_an_untrained_unit_that_says_nothing_has_no_kl(vae: VAE) -> None:
    with torch.no_grad():
        vae.encoder[-1].weight[[1, 4]] = 0  # mu and logvar of latent 1
        vae.encoder[-1].bias[[1, 4]] = 0
    x = torch.rand(50, 1, 8, 8)
    kl = latents.kl_per_dimension(vae, x)
    assert kl[1] == 0 and (kl[[0, 2]] > 0).all()
    found = latents.axes(vae.embed(x).detach(), kl)
    assert found.order[-1] == 1 and not found.active[1]
    assert found.low[1] <= -3 and found.high[1] >= 3


def test_sliders_of_a_plain_autoencoder_cover_its_codes() -> None:
    codes = torch.randn(2000, 3) * torch.tensor([0.05, 2.0, 0.0]) + torch.tensor([5.0, -1.0, 0.0])
    found = latents.axes(codes)
    assert found.order.tolist() == [1, 0, 2]
    inside = (codes >= found.low) & (codes <= found.high)
    assert (inside.double().mean(0) > 0.99).all()
    assert found.active.tolist() == [False, True, False]
    assert (found.high > found.low).all()  # also for the dead one


def test_manifold_steps_are_equally_likely() -> None:
    steps = latents.normal_quantiles(20)
    below = 0.5 * (1 + torch.erf(steps.double() / math.sqrt(2)))
    assert torch.allclose(below, (torch.arange(20).double() + 0.5) / 20, atol=1e-6)


def test_the_manifold_grid_reads_like_a_plot() -> None:
    grid = latents.manifold_grid(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0, 20.0]))
    assert grid.tolist() == [[1, 20], [2, 20], [3, 20], [1, 10], [2, 10], [3, 10]]


def test_class_means_are_the_middles_of_each_class() -> None:
    codes = torch.tensor([[0.0, 0.0], [2.0, 0.0], [5.0, 5.0], [7.0, 5.0]])
    means = latents.class_means(codes, torch.tensor([3, 3, 8, 8]))
    assert means[3].tolist() == [1, 0] and means[8].tolist() == [6, 5]


def test_nearest_finds_the_code_itself_first() -> None:
    codes = torch.randn(50, 4)
    index, distance = latents.nearest(codes, codes[17], 5)
    assert index[0] == 17 and distance[0] == 0
    assert (distance.diff() >= 0).all()
    assert torch.allclose(distance[1], (codes[index[1]] - codes[17]).norm(), atol=1e-6)


def test_a_walk_is_closed_and_passes_its_stops() -> None:
    z, stops = torch.zeros(2), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    steps = latents.walk(z, stops, 8)
    assert len(steps) == 24
    assert torch.equal(steps[[0, 8, 16]], torch.stack([z, *stops]))
    assert (steps[-1] - z).norm() < 0.2  # the next frame is the first again


def test_exploring_leaves_no_gradient_behind() -> None:
    model = Autoencoder(AutoencoderSettings(latent_dim=2, image_size=4))
    latents.traversals(model, torch.zeros(2), torch.tensor([1]), torch.ones(1, 3))
    assert all(p.grad is None for p in model.parameters())
