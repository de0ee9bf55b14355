"""What every family must keep, found by the registry; then what single families promise."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch
from torch import nn

from genlib import losses
from genlib.models import CAPABILITIES, FAMILIES, Model
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.capabilities import Decodes, Encodes, Reconstructs, Samples, capabilities
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.models.denoising import CORRUPTIONS
from genlib.models.layers import Gaussian
from genlib.models.vae import VAE, VAESettings
from tests.helpers import build, rng


def fresh(family: str) -> Model:
    """At the size that the family takes by default: 28 pixels, but for very small or large ones."""
    return build(family).eval()


def pictures(size: int) -> torch.Tensor:
    return torch.rand(5, 1, size, size, generator=rng(1))


@pytest.fixture
def x() -> torch.Tensor:
    return pictures(28)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_step_on_a_batch_lowers_its_loss(family: str) -> None:
    model, y = fresh(family), torch.arange(5)
    x = pictures(model.config.image_size)
    optimizers, draws = model.optimizers(1e-3, 0.0), rng(2)
    first = model.losses(x, y, rng())["loss"].item()
    for _ in range(10):
        model.step(x, y, draws, optimizers, torch.enable_grad)
    assert model.losses(x, y, rng())["loss"].item() < first


@pytest.mark.parametrize("family", FAMILIES)
def test_capabilities_of_the_class_are_those_of_its_models(family: str) -> None:
    model = fresh(family)
    held = {name for name, protocol in CAPABILITIES.items() if isinstance(model, protocol)}
    assert capabilities(family) == held


@pytest.mark.parametrize("family", FAMILIES)
def test_images_keep_shape_and_range(family: str) -> None:
    model = fresh(family)
    x = pictures(model.config.image_size)
    shown = []
    if isinstance(model, Reconstructs):
        shown.append(model.reconstruct(x))
    if isinstance(model, Samples):
        shown.append(model.sample(5, rng(2)))
    if isinstance(model, Decodes):
        shown.append(model.decode(torch.randn(5, model.latent_dim)))
    if isinstance(model, Encodes):
        assert model.embed(x).shape == (5, model.latent_dim)
        assert torch.equal(model.embed(x), model.embed(x))
    for images in shown:
        assert images.shape == x.shape
        assert images.min() >= 0 and images.max() <= 1


@pytest.mark.parametrize("family", [f for f in FAMILIES if "Decodes" in capabilities(f)])
def test_decoder_layers_are_the_decoder(family: str) -> None:
    model = fresh(family)
    z = torch.randn(3, model.latent_dim)
    assert torch.equal(model.decoder_layers()(z), model.decode(z))


def test_lecture_sizes() -> None:
    sizes = [m.weight.shape for m in fresh("vae").modules() if isinstance(m, nn.Linear)]
    assert sizes == [(400, 784), (40, 400), (400, 20), (784, 400)]
    sizes = [m.weight.shape for m in fresh("denoising").modules() if isinstance(m, nn.Linear)]
    assert sizes == [(500, 784), (784, 500)]
    slides = Autoencoder(AutoencoderSettings(latent_dim=2, hidden=(500, 300)))
    sizes = [m.weight.shape for m in slides.modules() if isinstance(m, nn.Linear)]
    assert sizes == [(500, 784), (300, 500), (2, 300), (300, 2), (500, 300), (784, 500)]


def test_slides_initialisation() -> None:
    model = Autoencoder(AutoencoderSettings(hidden=(500,), init_std=0.1))
    assert model.encoder[0].weight.std().item() == pytest.approx(0.1, rel=0.02)


def test_reparameterised_sample_has_the_right_moments_and_gradient() -> None:
    mu = torch.full((20_000, 1), 2.0, requires_grad=True)
    logvar = torch.full((20_000, 1), 2 * math.log(0.5), requires_grad=True)
    z = Gaussian(mu, logvar).sample(rng())
    assert z.mean().item() == pytest.approx(2.0, abs=0.02)
    assert z.std().item() == pytest.approx(0.5, abs=0.02)
    (grad,) = torch.autograd.grad(z.sum(), mu)
    assert torch.equal(grad, torch.ones_like(mu))


def test_vae_loss_is_reconstruction_plus_beta_kl(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = VAE(VAESettings(beta=3.0)).eval()
    terms = model.losses(x, torch.zeros(5), rng())
    q = model.encode(x)
    kl = losses.kl_standard_normal(*q).sum(1).mean()
    assert terms["kl"].item() == pytest.approx(kl.item(), rel=1e-5)
    assert terms["loss"].item() == pytest.approx(
        (terms["reconstruction"] + 3 * terms["kl"]).item(), rel=1e-5
    )
    assert model.energy(x).shape == (5,)
    alone = torch.cat([model.energy(image) for image in x.split(1)])
    assert torch.allclose(model.energy(x), alone, rtol=1e-5)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_corruption_damages_only_what_its_mask_says(kind: str, x: torch.Tensor) -> None:
    bad, mask = CORRUPTIONS[kind](x, 0.3, rng())
    assert bad.shape == x.shape and mask.dtype == torch.bool
    assert torch.equal(bad[~mask], x[~mask])
    assert bad.min() >= 0 and bad.max() <= 1
    again, _ = CORRUPTIONS[kind](x, 0.3, rng())
    assert torch.equal(bad, again)


@pytest.mark.parametrize("kind", ["dropout", "salt_pepper", "block"])
def test_share_of_damaged_pixels_is_the_strength(kind: str) -> None:
    x = torch.rand(200, 1, 28, 28)
    _, mask = CORRUPTIONS[kind](x, 0.25, rng())
    assert mask.float().mean().item() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_no_strength_no_damage(kind: str, x: torch.Tensor) -> None:
    bad, _ = CORRUPTIONS[kind](x, 0.0, rng())
    assert torch.equal(bad, x)


def test_classifier_logits_and_features(x: torch.Tensor) -> None:
    model = Classifier(ClassifierSettings(n_classes=7)).eval()
    assert model.logits(x).shape == (5, 7) and model.features(x).shape == (5, 64)
    model.eval()
    assert torch.equal(model.logits_of(model.features(x)), model.logits(x))
    terms = model.losses(x, torch.arange(5), torch.Generator())
    assert 0 <= terms["accuracy"] <= 1


def test_odd_sizes_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="image_size must be a multiple of 4, got 30"):
        FAMILIES["conv_vae"](FAMILIES["conv_vae"].Config(image_size=30))


MANY = """
import sys, threading
from importlib import import_module
import torch
sys.setswitchinterval(1e-6)
names = ["models.vae", "models.capabilities", "models", "models.base", "store.checkpoint"]
names += ["explore.architecture", "explore.latents", "training.loop", "evaluate.metrics"]
gate, failed = threading.Barrier(len(names)), []
def load(name):
    gate.wait()
    try:
        module = import_module("genlib." + name)
        if name == "models":
            assert "vae" in module.FAMILIES
    except BaseException as error:
        failed.append(f"{name}: {error!r}")
threads = [threading.Thread(target=load, args=(name,)) for name in names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failed or "done")
"""


def test_many_threads_may_import_the_families_at_once() -> None:
    """As the first visitors of a server do, each on another page."""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", MANY], capture_output=True, text=True, check=False
        )
        assert done.stdout == "done\n", done.stdout + done.stderr[-500:]
