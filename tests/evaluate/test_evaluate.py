"""Bounds against exact likelihoods, metrics against their definitions."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from genlib import losses
from genlib.data import datasets
from genlib.data.datasets import Dataset, to_float
from genlib.evaluate import metrics
from genlib.evaluate.metric import Sample, share_error
from genlib.models import Model
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.models.vae import VAE, VAESettings
from tests.helpers import rng


def tiny_vae(latent_dim: int = 1, size: int = 2) -> VAE:
    torch.manual_seed(3)
    model = VAE(VAESettings(image_size=size, latent_dim=latent_dim, hidden=(6,)))
    for p in model.parameters():
        p.data.mul_(2)  # far from a trivial decoder, so that the bounds differ
    return model.eval().requires_grad_(False)


def tiny_data(size: int = 4, n: int = 60, classes: int = 3) -> Dataset:
    x = torch.randint(0, 256, (n, 1, size, size), generator=rng(), dtype=torch.uint8)
    y = torch.arange(n) % classes
    return Dataset("tiny", "Tiny", x, y, x, y, tuple("012"[:classes]))


def exact_nll(model: VAE, x: torch.Tensor) -> torch.Tensor:
    """-log p(x) by integrating over the one latent on a fine grid: (B,)."""
    z = torch.linspace(-9, 9, 6001, dtype=torch.double)
    logits = model.decode_logits(z.float()[:, None])
    log_prior = losses.log_normal(z[:, None]) + math.log(z[1] - z[0])
    nll = torch.stack([losses.bernoulli_nll(logits, image.expand_as(logits)) for image in x])
    return -(log_prior - nll.double()).logsumexp(1)


def all_images() -> torch.Tensor:
    bits = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 4)
    return bits.view(-1, 1, 2, 2)


def test_kl_of_the_prior_is_zero() -> None:
    zero = torch.zeros(2, 3)
    assert losses.kl_standard_normal(zero, zero).abs().max() == 0


def test_exact_likelihood_sums_to_one_over_all_images() -> None:
    assert (-exact_nll(tiny_vae(), all_images())).exp().sum() == pytest.approx(1, abs=1e-6)


def test_iwae_lies_between_the_exact_likelihood_and_the_elbo() -> None:
    model, x = tiny_vae(), all_images().repeat(200, 1, 1, 1)
    exact = float(exact_nll(model, all_images()).mean())
    reconstruction, kl = metrics.elbo_terms(model, x, rng())
    elbo = (reconstruction + kl).mean()
    loose = metrics.iwae_bound(model, x, 2, rng()).mean()
    tight = metrics.iwae_bound(model, x, 100, rng()).mean()
    assert exact - 0.01 < tight < loose < elbo
    tightest = metrics.iwae_bound(model, x[:320], 3000, rng()).mean()
    assert float(tightest) == pytest.approx(exact, abs=0.01)


def test_iwae_with_one_sample_is_the_elbo() -> None:
    model, x = tiny_vae(), all_images().repeat(400, 1, 1, 1)
    one = metrics.iwae_bound(model, x, 1, rng(1))
    reconstruction, kl = metrics.elbo_terms(model, x, rng(2))
    difference = one.mean() - (reconstruction + kl).mean()
    noise = math.sqrt((one.var() + (reconstruction + kl).var()) / len(x))
    assert abs(difference) < 4 * noise


def test_vae_gets_every_metric_of_a_bound_and_no_accuracy() -> None:
    found = metrics.evaluate(tiny_vae(2, 4), tiny_data())
    merges = {f"auc_merge_{way}" for way in ("alpha", "max", "splice")}
    bounds = {"neg_elbo", "reconstruction", "kl", "neg_elbo_binarized", "iwae_bound"}
    others = {"reconstruction_mse", "active_units", *(f"{name}_correlation" for name in merges)}
    assert set(found) == merges | bounds | others
    split = found["reconstruction"].value + found["kl"].value
    assert found["neg_elbo"].value == pytest.approx(split)
    assert "binarized (seed 0)" in found["neg_elbo_binarized"].data
    assert "k = 200" in found["iwae_bound"].data
    assert all(m.stderr >= 0 and m.n == 60 and math.isfinite(m.value) for m in found.values())


def test_same_seed_same_numbers() -> None:
    model, data = tiny_vae(2, 4), tiny_data()
    assert metrics.evaluate(model, data, seed=4) == metrics.evaluate(model, data, seed=4)
    other = metrics.evaluate(model, data, seed=5)["neg_elbo"]
    assert other != metrics.evaluate(model, data, seed=4)["neg_elbo"]


def test_reconstruction_error_and_its_standard_error_are_the_definitions() -> None:
    torch.manual_seed(0)
    model = Autoencoder(AutoencoderSettings(image_size=4, latent_dim=2)).eval()
    data = tiny_data()
    x = to_float(data.test_x)
    errors = (model.reconstruct(x) - x).square().flatten(1).mean(1)
    found = metrics.evaluate(model, data)["reconstruction_mse"]
    assert found.value == pytest.approx(errors.mean().item(), rel=1e-5)
    assert found.stderr == pytest.approx(errors.std().item() / math.sqrt(60), rel=1e-5)


def test_accuracy_of_a_classifier_that_always_says_two() -> None:
    model = Classifier(ClassifierSettings(image_size=4, n_classes=3, width=2, dense=2)).eval()
    last = model.layers[-1]
    last.weight.data.zero_()
    last.bias.data = torch.tensor([0.0, 0.0, 1.0])
    found = metrics.evaluate(model, tiny_data())
    assert set(found) == {"accuracy"}
    assert found["accuracy"].value == pytest.approx(1 / 3)
    assert found["accuracy"].stderr == pytest.approx(math.sqrt(2 / 9 / 60), rel=0.01)


def test_colour_pictures_are_also_judged_with_their_mirror_images() -> None:
    torch.manual_seed(0)
    model = Classifier(ClassifierSettings(channels=3, image_size=4, n_classes=3)).eval()
    grey = tiny_data()
    x = torch.randint(0, 256, (60, 3, 4, 4), generator=torch.Generator().manual_seed(0)).byte()
    data = replace(grey, test_x=x)
    found = metrics.evaluate(model, data)
    seen = to_float(x)
    both = (model.logits(seen) + model.logits(seen.flip(3))).argmax(1) == data.test_y
    assert found["accuracy_mirrored"].value == pytest.approx(both.double().mean().item())
    symmetric = torch.cat([x[..., :2], x[..., :2].flip(3)], 3)
    found = metrics.evaluate(model, replace(data, test_x=symmetric))
    assert found["accuracy_mirrored"].value == found["accuracy"].value


class Given(Model):
    """Draws what it is given, from the start."""

    def __init__(self, x: torch.Tensor) -> None:
        super().__init__(Model.Config(image_size=x.shape[-1]))
        self.x = torch.nn.Parameter(x)

    def sample(self, n: int, rng: torch.Generator) -> torch.Tensor:
        return self.x[torch.arange(n) % len(self.x)]


@torch.no_grad()
def test_noise_covers_no_class_and_real_digits_cover_all(shipped: Path) -> None:
    digits = datasets.load("digits")
    data = replace(digits, name="mnist")  # so that the judge of such images takes them
    x = to_float(digits.train_x[:300])
    drawn = {
        "digits": x,
        "uniform": torch.rand(x.shape, generator=rng(5)),
        "pale": 0.5 + 0.25 * torch.rand(x.shape, generator=rng(5)),
        "normal": (0.5 + 0.25 * torch.randn(x.shape, generator=rng(5))).clamp(0, 1),
        "nothing": torch.zeros_like(x),
        "black and white": torch.rand(x.shape, generator=rng(5)).round(),
    }
    found = {
        name: metrics.evaluate(Given(images), data, n=300)["classes_covered"].value
        for name, images in drawn.items()
    }
    assert found == {**dict.fromkeys(drawn, 0.0), "digits": 10.0}


@torch.no_grad()
def test_what_noise_would_get_is_said_where_only_some_classes_are_wanted(shipped: Path) -> None:
    eights = replace(datasets.load("digits").only("8"), name="mnist")
    noise = torch.rand(100, 1, 28, 28, generator=rng())
    found = metrics.evaluate(Given(noise), eights, n=30)["in_class"]
    assert found.value == 1.0 and "of noise 1.00" in found.data


@torch.no_grad()
def test_few_images_leave_the_classes_and_give_no_frechet_distance(shipped: Path) -> None:
    data = replace(datasets.load("digits"), name="mnist")
    drawn = Given(to_float(data.train_x[:300]))
    for n in (2, 5, 64):
        found = metrics.evaluate(drawn, data, n=n)
        assert set(found) == {"classes_covered"}
        assert found["classes_covered"].unit.startswith("of 10 classes")
        assert "too few for a Fréchet distance, which takes more than 64" in (
            found["classes_covered"].data
        )
    assert "frechet" in metrics.evaluate(drawn, data, n=65)


def test_the_error_of_a_share_is_never_zero_and_of_many_images_the_binomial_one() -> None:
    assert share_error(1.0, 20) == share_error(0.0, 20) == pytest.approx(0.5 / 21)
    for p in (0.5935, 0.8917, 0.9941):
        assert f"{share_error(p, 10_000):.2g}" == f"{math.sqrt(p * (1 - p) / 10_000):.2g}"
    # Wilson: the shares whose own standard error just reaches the one that was found.
    p, n = 0.9, 50
    ends = [
        e / 1000 for e in range(1001) if abs(e / 1000 - p) <= (e * (1000 - e) / n) ** 0.5 / 1000
    ]
    assert share_error(p, n) == pytest.approx((ends[-1] - ends[0]) / 2, abs=1e-3)


def test_the_merge_aucs_error_bar_is_the_spread_over_noise_and_images() -> None:
    """Every study has images and noise of its own; one noise for all would spread much wider."""
    torch.manual_seed(3)
    model = VAE(VAESettings(image_size=4, latent_dim=2, hidden=(6,))).eval().requires_grad_(False)
    model.encoder[-1].bias.data[2:] = 1.5  # wide q(z|x): the energy is mostly noise
    model.decoder[0].weight.data.mul_(4)
    found = []
    for seed in range(60):
        x = torch.randint(0, 256, (40, 1, 4, 4), generator=rng(seed), dtype=torch.uint8)
        data = replace(tiny_data(), test_x=x, test_y=torch.arange(40) % 3)
        sample = Sample(to_float(x), data.test_y, "tiny", seed, data.test_y.unique())
        found.append(metrics.merge_auc(model, sample)["auc_merge_splice"])
    spread = torch.tensor([m.value for m in found]).std().item()
    claimed = torch.tensor([m.stderr for m in found]).mean().item()
    assert claimed == pytest.approx(spread, rel=0.3)
    assert "4 draws of z each" in found[0].data


def test_active_units_counts_latents_that_follow_the_input() -> None:
    model = tiny_vae(3, 4)
    model.encoder[-1].weight.data[1] = 0.0  # mu of the second latent ignores the image
    found = metrics.evaluate(model, tiny_data())["active_units"]
    assert (found.value, found.unit) == (2.0, "of 3 latents")


def test_one_class_gives_no_merges() -> None:
    found = metrics.evaluate(tiny_vae(2, 4), tiny_data(classes=1))
    assert "neg_elbo" in found
    assert not any(name.startswith("auc") for name in found)


def test_n_limits_the_images_and_one_image_is_refused() -> None:
    assert metrics.evaluate(tiny_vae(2, 4), tiny_data(), n=10)["neg_elbo"].n == 10
    with pytest.raises(ValueError, match="at least 2"):
        metrics.evaluate(tiny_vae(2, 4), tiny_data(), n=1)


def test_progress_rises_to_one() -> None:
    shares: list[float] = []
    metrics.evaluate(tiny_vae(2, 4), tiny_data(), progress=lambda name, share: shares.append(share))
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1


@pytest.mark.parametrize("eps", [0.0, 4.0])
def test_accuracy_under_attack_is_measured_where_it_was_trained_for(eps: float) -> None:
    """Classes are dark, grey and bright: learned at once without an attack, all in reach of 4."""
    torch.manual_seed(0)
    y = torch.arange(60) % 3
    x = (y * 120)[:, None, None, None].expand(60, 1, 4, 4).to(torch.uint8)
    config = ClassifierSettings(image_size=4, n_classes=3, width=4, dense=8, dropout=0.0)
    learner = Classifier(config).train()
    optimizers = learner.optimizers(0.01, 0.0)
    for _ in range(60):
        learner.step(to_float(x), y, rng(), optimizers, torch.enable_grad)
    model = Classifier(config.replace(adversarial_eps=eps)).eval()
    model.load_state_dict(learner.state_dict())
    found = metrics.evaluate(model, Dataset("tiny", "Tiny", x, y, x, y, ("0", "1", "2")))
    assert found["accuracy"].value == 1
    assert ("accuracy_attacked" in found) is (eps > 0)
    if eps > 0:
        assert found["accuracy_attacked"].value < 0.5
        assert "each moved by up to 4 (L2) by 20 steps" in found["accuracy_attacked"].data
