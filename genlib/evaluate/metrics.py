"""Honest numbers for a trained model on test data, each with its standard error.

A metric is a function in METRICS next to the capabilities it needs; a model gets those it can do.
AUC has DeLong's standard error.

Sources of likelihoods and their bounds: ELBO, Kingma & Welling 2013 (arXiv:1312.6114);
importance-weighted bound and active units, Burda, Grosse & Salakhutdinov 2016 (arXiv:1509.00519);
annealed importance sampling, Salakhutdinov & Murray 2008. Bounds use sampled z: at z = mu the
number reads several nats too good and bounds nothing. Grey and binarized pixels are different data:
their nats must not be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from genlib import losses
from genlib.data.datasets import Dataset, to_float
from genlib.evaluate import energy, frechet
from genlib.evaluate.metric import BATCH, Found, Metric, Sample, share_error
from genlib.models.adversarial import pgd_l2
from genlib.models.annealing import log_mean
from genlib.models.base import Model
from genlib.models.capabilities import (
    Annealed,
    Bounds,
    Classifies,
    HasDensity,
    HasEnergy,
    HasFreeEnergy,
    HasLikelihood,
    Reconstructs,
    Samples,
)
from genlib.models.classifier import AttackedClassifier

FRECHET_N = 5000
NOISES = 4  # draws of an energy's noise for each image
NOISE_N = 1000  # images of noise that a judge is asked about
IWAE_K = 200
IWAE_N = 1000
AIS_CHAINS = 100
AIS_TEMPERATURES = 20_000  # a minute and a half for 784-500 on one core
ACTIVE = 0.01  # Var_x(E_q[z]) above which Burda et al. call a unit active

Progress = Callable[[str, float], None]


@torch.no_grad()
def evaluate(
    model: Model,
    data: Dataset,
    *,
    seed: int = 0,
    n: int | None = None,
    progress: Progress | None = None,
) -> Found:
    """Measure everything that applies to ``model`` on the test images: {name: Metric}.

    ``n`` limits the images (a random choice: MNIST's first 5,000 test digits are the harder ones).
    ``progress(name, share)`` is called before each group of metrics and once at the end. The model
    must be in eval mode. Raises ValueError for n < 2.
    """
    n = len(data.test_x) if n is None else min(n, len(data.test_x))
    if n < 2:
        raise ValueError(f"n must be at least 2 to give a standard error, got {n}")
    order = torch.randperm(len(data.test_x), generator=torch.Generator().manual_seed(seed))[:n]
    x = to_float(data.test_x[order]).to(model.device)
    sample = Sample(x, data.test_y[order], f"{data.name} test", seed, data.test_y.unique())
    able = [(name, fn) for name, (needs, fn) in METRICS.items() if isinstance(model, needs)]
    found: Found = {}
    for i, (name, measure) in enumerate(able):
        if progress:
            progress(name, i / len(able))
        found |= measure(model, sample)
    if progress:
        progress("done", 1.0)
    return found


def reconstruction_error(model: Reconstructs, sample: Sample) -> Found:
    """Mean squared error per pixel of ``reconstruct``."""
    errors = [(model.reconstruct(x) - x).square().flatten(1).mean(1) for x in sample.x.split(BATCH)]
    unit = "squared error per pixel, pixels in [0, 1]"
    return {"reconstruction_mse": sample.mean(torch.cat(errors), unit)}


def merge_auc(model: Reconstructs, sample: Sample) -> Found:
    """AUC of real digits against merges of two classes, by the model's own energy.

    ``auc_merge_HOW_correlation`` is the same by 1 - correlation, which does not see contrast. An
    energy that is sampled is drawn NOISES times for each image.
    Nothing is measured where all images are of one class: no pair can be merged.
    """
    if len(sample.y.unique()) < 2:
        return {}
    found: Found = {}
    kinds = {"_correlation": "1 - correlation"}
    if isinstance(model, HasEnergy):
        kinds = {"": energy.OWN, **kinds}
    rng = torch.Generator().manual_seed(sample.seed + 1)  # not the one that chooses the pairs
    draws = {
        kind: NOISES if kind == energy.OWN and isinstance(model, Bounds) else 1
        for kind in kinds.values()
    }

    def drawn(x: Tensor, kind: str) -> energy.Floats:
        return np.stack([energy.energies(model, x, kind, rng) for _ in range(draws[kind])])

    real = {kind: drawn(sample.x, kind) for kind in kinds.values()}
    for how in energy.MERGES:
        n = len(sample.x)
        merges = energy.merge_pairs(sample.x, sample.y, how, n, sample.rng())
        note = f", {n} digits against {n} merges" + ("" if how == "max" else ", alpha = 0.5")
        for suffix, kind in kinds.items():
            result = energy.auc(real[kind], drawn(merges, kind))
            noise = f", {draws[kind]} draws of z each" if draws[kind] > 1 else ""
            name = f"auc_merge_{how}{suffix}"
            found[name] = Metric(result.value, result.stderr, "AUC", n, sample.name + note + noise)
    return found


def accuracy(model: Classifies, sample: Sample) -> Found:
    """Share of images whose highest logit is the label; Wilson's standard error.

    For colour pictures, which a mirror leaves in their class, also with the logits of each picture
    and of its mirror image added: the usual averaging at test time.
    """
    found = {"accuracy": _share(model.logits, sample, "")}
    if sample.x.shape[1] == 3:
        note = ", logits of each picture and its mirror image added"
        both = _share(lambda x: model.logits(x) + model.logits(x.flip(3)), sample, note)
        found["accuracy_mirrored"] = both
    return found


ATTACK_STEPS = 20  # of the attack that a classifier is measured under


def accuracy_attacked(model: Classifies, sample: Sample) -> Found:
    """Accuracy on images moved, within the ball of its training, to where the classifier errs.

    Only for classifiers trained on adversarial examples; the attack takes ATTACK_STEPS steps.
    """
    if not isinstance(model, AttackedClassifier) or model.config.adversarial_eps == 0:
        return {}
    eps, rng = model.config.adversarial_eps, sample.rng()
    parts = zip(sample.x.split(BATCH), sample.y.split(BATCH), strict=True)
    moved = [pgd_l2(model.logits, x, y.to(x.device), eps, ATTACK_STEPS, rng) for x, y in parts]
    note = f", each moved by up to {eps:g} (L2) by {ATTACK_STEPS} steps of PGD"
    shown = replace(sample, x=torch.cat(moved))
    return {"accuracy_attacked": _share(model.logits, shown, note)}


def _share(logits: Callable[[Tensor], Tensor], sample: Sample, note: str) -> Metric:
    parts = zip(sample.x.split(BATCH), sample.y.split(BATCH), strict=True)
    right = torch.cat([logits(x).argmax(1).cpu() == y for x, y in parts])
    p, n = float(right.double().mean()), len(right)
    return Metric(p, share_error(p, n), "share of images", n, sample.name + note)


def sample_quality(model: Samples, sample: Sample) -> Found:
    """Fréchet distance of samples to as many test images, and the classes that samples cover.

    Samples of black and white are compared with test images binarized at random, others with grey.
    Measured only where a shipped classifier knows such images; its name stands in ``data``. The
    distance needs more images than the classifier has features: below, the covariances are
    singular, and it is left out. A class of the test images counts as covered where at least a
    tenth of its fair share of the samples, and more than of noise, is judged to be of it and looks
    like it (see ``frechet.recognised``). Where these are not all the judge's classes, ``in_class``
    says how many samples it takes for one of them.
    """
    assert isinstance(model, Model)
    judges = frechet.extractors(model.config.channels, sample.x.device)
    judge = next((j for j in judges if j.knows(sample.name)), None)
    if judge is None:
        return {}
    n = min(FRECHET_N, len(sample.x))
    rng = sample.rng()
    drawn = torch.cat([model.sample(min(500, n - i), rng) for i in range(0, n, 500)])
    ours, classes = judge.see(drawn.float())
    binary = bool(((drawn == 0) | (drawn == 1)).all())
    real, _ = judge.see((sample.binarized() if binary else sample.x)[:n])
    note = sample.binarization if binary else ""
    data = f"{n} samples against {n} of {sample.name}{note}, features of {judge.name}"
    noises = [judge.see(x) for x in frechet.noises(drawn[:NOISE_N], binary, sample.rng())]
    found = _coverage(judge, (ours, classes), real, noises, sample.classes)
    features = ours.shape[1]
    if n <= features:
        few = f"; too few for a Fréchet distance, which takes more than {features}"
        return {name: replace(metric, data=metric.data + few) for name, metric in found.items()}
    distance = Metric(
        frechet.frechet(ours, real), frechet.jackknife(ours, real), "squared distance", n, data
    )
    return {"frechet": distance, **found}


Seen = tuple[
    Tensor, Tensor
]  # features (n, d) of images, and the classes (n,) they are judged to be


def _coverage(
    judge: frechet.Extractor, drawn: Seen, real: Tensor, noises: list[Seen], wanted: Tensor
) -> Found:
    """Which of the classes ``wanted`` samples cover; ``real`` (n, d): features of test images."""
    k, n = len(wanted), len(drawn[1])
    by = f"{n} samples, judged by {judge.name}"

    def recognised(features: Tensor, classes: Tensor) -> Tensor:
        """Share of each wanted class among images that look like it."""
        like = frechet.recognised(features, real, [x for x, _ in noises])
        return classes[like].bincount(minlength=judge.n_classes)[wanted] / len(classes)

    seen = recognised(*drawn)
    chance = torch.stack([recognised(*noise) for noise in noises]).amax(0)
    covered = float(((seen >= 0.1 / k) & (seen > chance)).sum())
    unit = f"of {k} class{'es, each' * (k > 1)} with a tenth of its fair share or more"
    how = f"{by}; what resembles noise left out"
    found = {"classes_covered": Metric(covered, 0.0, unit, n, how)}
    if k < judge.n_classes:
        found["in_class"] = _in_class(drawn[1], noises[0][1], wanted, by)
    return found


def _in_class(classes: Tensor, noise_classes: Tensor, wanted: Tensor, by: str) -> Metric:
    """Share of samples judged to be of the classes wanted; what uniform noise would get is said."""
    share, chance = (float(torch.isin(c, wanted).double().mean()) for c in (classes, noise_classes))
    n, k = len(classes), len(wanted)
    unit = f"share of samples, judged to be of the {k} class{'es' * (k > 1)} wanted"
    return Metric(share, share_error(share, n), unit, n, f"{by}; of noise {chance:.2f}")


# --------------------------------------------------------------------------- likelihoods and bounds


def grey_elbo(model: Bounds, sample: Sample) -> Found:
    """-ELBO on grey pixels and its split; one sample of z per image."""
    reconstruction, kl = elbo_terms(model, sample.x, sample.rng())
    note = ", grey pixels"
    return {
        "neg_elbo": sample.mean(reconstruction + kl, "nats", note),
        "reconstruction": sample.mean(reconstruction, "nats", note),
        "kl": sample.mean(kl, "nats", note),
    }


def binary_elbo(model: Bounds, sample: Sample) -> Found:
    """-ELBO on pixels binarized once, at random; one sample of z per image."""
    reconstruction, kl = elbo_terms(model, sample.binarized(), sample.rng())
    return {"neg_elbo_binarized": sample.mean(reconstruction + kl, "nats", sample.binarization)}


def elbo_terms(model: Bounds, x: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """-E_q[log p(x|z)], one sample, Bernoulli, and KL(q(z|x) || p(z)), nats: (B,), (B,)."""
    terms = []
    for part in x.split(BATCH):
        q = model.encode(part)
        nll = losses.bernoulli_nll(model.decode_logits(q.sample(rng)), part)
        terms.append((nll, losses.kl_standard_normal(q.mu, q.logvar).sum(1)))
    reconstruction, kl = zip(*terms, strict=True)
    return torch.cat(reconstruction), torch.cat(kl)


def iwae(model: Bounds, sample: Sample) -> Found:
    """Importance-weighted bound on -log p(x), binarized, on at most IWAE_N images."""
    x = sample.binarized()[:IWAE_N]
    bound = iwae_bound(model, x, IWAE_K, sample.rng())
    note = f"{sample.binarization}, k = {IWAE_K}"
    return {"iwae_bound": sample.mean(bound, "nats", note)}


def iwae_bound(model: Bounds, x: Tensor, k: int, rng: torch.Generator) -> Tensor:
    """-log (1/k) sum_i p(x, z_i) / q(z_i|x), z_i ~ q(z|x), per image, in nats: (B,).

    In expectation at least -log p(x), and falling to it as k grows; k = 1 is -ELBO. Summed in log
    space. x (B, C, H, W) binary.
    """
    bounds = []
    for part in x.split(max(1, BATCH // k)):
        q = model.encode(part)
        mu, logvar = (t.repeat_interleave(k, 0) for t in q)
        z = type(q)(mu, logvar).sample(rng)
        log_p = -losses.bernoulli_nll(model.decode_logits(z), part.repeat_interleave(k, 0))
        log_w = log_p + losses.log_normal(z) - losses.log_normal(z, mu, logvar)
        bounds.append(math.log(k) - log_w.view(-1, k).logsumexp(1))
    return torch.cat(bounds)


def active_units(model: Bounds, sample: Sample) -> Found:
    """Number of latents with Var_x(E_q[z]) > 0.01; standard error by 200 bootstrap resamples."""
    mu = torch.cat([model.encode(x).mu for x in sample.x.split(BATCH)]).cpu().double()
    n = len(mu)
    # A resample is a vector of counts, so 200 of them are two matrix products.
    draws = torch.randint(n, (200, n), generator=sample.rng())
    counts = torch.zeros(200, n, dtype=torch.double)
    counts.scatter_add_(1, draws, torch.ones_like(draws, dtype=torch.double))
    centred = mu - mu.mean(0)
    variance = counts @ centred.square() / n - (counts @ centred / n).square()
    spread = (variance > ACTIVE).sum(1).double().std()
    value = float((mu.var(0) > ACTIVE).sum())
    unit = f"of {mu.shape[1]} latents"
    return {"active_units": Metric(value, float(spread), unit, n, sample.name)}


def density(model: HasDensity, sample: Sample) -> Found:
    """-log p(x) of grey pixels as real numbers in [0, 1]: a density, often below zero."""
    nll = torch.cat([-model.log_density(x) for x in sample.x.split(BATCH)])
    return {"nll_density": sample.mean(nll, "nats", ", grey pixels as a density")}


def exact_nll(model: HasLikelihood, sample: Sample) -> Found:
    """-log p(x) on pixels binarized once, at random; exact."""
    parts = [-model.log_likelihood(x) for x in sample.binarized().split(BATCH)]
    return {"nll": sample.mean(torch.cat(parts), "nats", sample.binarization)}


def annealed_nll(model: Annealed, sample: Sample) -> Found:
    """-log p(x) with log Z by AIS, on binarized pixels; both standard errors in one.

    A run of AIS rather finds log Z too small, and so the model too good: its error bar says by how
    much. Where log p* is itself a bound, so is the result.
    """
    rng = sample.rng()
    *_, log_w = model.anneal(AIS_CHAINS, AIS_TEMPERATURES, rng)
    log_z = log_mean(log_w)
    parts = [model.unnormalised(x, rng) for x in sample.binarized().split(BATCH)]
    bound = "" if isinstance(model, HasFreeEnergy) else ", an upper bound"
    how = f"{sample.binarization}, AIS of {AIS_CHAINS} chains, {AIS_TEMPERATURES:,} temperatures"
    mean = sample.mean(-torch.cat(parts), "nats", how + bound)
    stderr = math.hypot(mean.stderr, log_z.stderr)
    return {"nll_ais": replace(mean, value=mean.value + log_z.value, stderr=stderr)}


METRICS: dict[str, tuple[type, Callable[..., Found]]] = {
    "reconstruction error": (Reconstructs, reconstruction_error),
    "ELBO": (Bounds, grey_elbo),
    "binarized ELBO": (Bounds, binary_elbo),
    "importance-weighted bound": (Bounds, iwae),
    "exact likelihood": (HasLikelihood, exact_nll),
    "annealed importance sampling": (Annealed, annealed_nll),
    "active units": (Bounds, active_units),
    "energy of merges": (Reconstructs, merge_auc),
    "accuracy": (Classifies, accuracy),
    "accuracy under attack": (Classifies, accuracy_attacked),
    "density": (HasDensity, density),
    "samples": (Samples, sample_quality),
}
