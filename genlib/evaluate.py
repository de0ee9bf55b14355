"""Honest numbers for a trained model on test data, each with its standard error.

Sources: ELBO, Kingma & Welling 2013 (arXiv:1312.6114); importance-weighted bound and active
units, Burda, Grosse & Salakhutdinov 2016 (arXiv:1509.00519); AUC with DeLong's standard error;
annealed importance sampling, Salakhutdinov & Murray 2008.

A metric is a function in METRICS beside the capabilities it needs; a model gets those it can do.
Bounds use sampled z: at z = mu the number reads several nats too good and bounds nothing. Grey
and binarized pixels are different data: their nats must not be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from genlib import frechet, losses
from genlib.datasets import Dataset, to_float
from genlib.explore import energy
from genlib.models.annealing import log_mean
from genlib.models.base import (
    Annealed,
    Bounds,
    Classifies,
    HasDensity,
    HasEnergy,
    HasFreeEnergy,
    HasLikelihood,
    Model,
    Reconstructs,
    Samples,
)

BATCH = 500
IWAE_K = 200
IWAE_N = 1000
FRECHET_N = 5000
AIS_CHAINS = 100
AIS_TEMPERATURES = 5000  # about half a minute for 784-500 on one core
ACTIVE = 0.01  # Var_x(E_q[z]) above which Burda et al. call a unit active

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Metric:
    """One number: its standard error, its unit, how many images, and of which data."""

    value: float
    stderr: float
    unit: str
    n: int
    data: str


@dataclass(frozen=True)
class Sample:
    """The test images a model is judged on, in random order; every metric seeds itself anew."""

    x: Tensor  # (N, C, H, W) float32 in [0, 1]
    y: Tensor  # (N,)
    name: str
    seed: int

    def rng(self) -> torch.Generator:
        """A fresh generator, so that one metric's draws do not depend on another's."""
        return torch.Generator().manual_seed(self.seed)

    def binarized(self) -> Tensor:
        """Each pixel drawn once as Bernoulli(grey value): (N, C, H, W) of 0 and 1."""
        return (torch.rand(self.x.shape, generator=self.rng()).to(self.x) < self.x).to(self.x)

    def mean(self, values: Tensor, unit: str, note: str = "") -> Metric:
        """Mean over images and its standard error: (n,) -> Metric."""
        n = len(values)
        v = values.double()
        return Metric(float(v.mean()), float(v.std() / math.sqrt(n)), unit, n, self.name + note)


Found = dict[str, Metric]


@torch.no_grad()
def evaluate(
    model: torch.nn.Module,
    data: Dataset,
    *,
    seed: int = 0,
    n: int | None = None,
    progress: Progress | None = None,
) -> Found:
    """Measure everything that applies to ``model`` on the test images: {name: Metric}.

    ``n`` limits the images (a random choice: MNIST's first 5,000 test digits are the easier ones).
    ``progress(name, share)`` is called before each group of metrics and once at the end. The model
    must be in eval mode. Raises ValueError for n < 2.
    """
    n = len(data.test_x) if n is None else min(n, len(data.test_x))
    if n < 2:
        raise ValueError(f"n must be at least 2 to give a standard error, got {n}")
    order = torch.randperm(len(data.test_x), generator=torch.Generator().manual_seed(seed))[:n]
    x = to_float(data.test_x[order]).to(next(model.parameters()).device)
    sample = Sample(x, data.test_y[order], f"{data.name} test", seed)
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
    return {"neg_elbo_binarized": sample.mean(reconstruction + kl, "nats", _binarized(sample))}


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
    note = f"{_binarized(sample)}, k = {IWAE_K}"
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


@torch.no_grad()
def kl_per_dimension(model: Bounds, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean KL of each latent dimension over images, in nats, and standard errors: (d,), (d,)."""
    parts = [losses.kl_standard_normal(*model.encode(part)) for part in x.split(BATCH)]
    kl = torch.cat(parts)
    return kl.mean(0), kl.std(0) / math.sqrt(len(kl))


def active_units(model: Bounds, sample: Sample) -> Found:
    """Number of latents with Var_x(E_q[z]) > 0.01; standard error by 200 bootstrap resamples."""
    mu = torch.cat([model.encode(x).mu for x in sample.x.split(BATCH)]).double().cpu()
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


def merge_auc(model: Reconstructs, sample: Sample) -> Found:
    """AUC of real digits against merges of two classes, by the model's own energy.

    ``auc_merge_HOW_correlation`` is the same by 1 - correlation, which does not see contrast.
    Nothing is measured where all images are of one class: there is no pair to merge.
    """
    if len(sample.y.unique()) < 2:
        return {}
    found: Found = {}
    kinds = {"_correlation": "1 - correlation"}
    if isinstance(model, HasEnergy):
        kinds = {"": energy.OWN, **kinds}
    real = {kind: energy.energies(model, sample.x, kind) for kind in kinds.values()}
    for how in energy.MERGES:
        n = len(sample.x)
        merges = energy.merge_pairs(sample.x, sample.y, how, n, sample.rng())
        note = f", {n} digits against {n} merges" + ("" if how == "max" else ", alpha = 0.5")
        for suffix, kind in kinds.items():
            result = energy.auc(real[kind], energy.energies(model, merges, kind))
            name = f"auc_merge_{how}{suffix}"
            found[name] = Metric(result.value, result.stderr, "AUC", n, sample.name + note)
    return found


def density(model: HasDensity, sample: Sample) -> Found:
    """-log p(x) of grey pixels as real numbers in [0, 1]: a density, often below zero."""
    nll = torch.cat([-model.log_density(x) for x in sample.x.split(BATCH)])
    return {"nll_density": sample.mean(nll, "nats", ", grey pixels as a density")}


def accuracy(model: Classifies, sample: Sample) -> Found:
    """Share of images whose highest logit is the label; binomial standard error.

    For colour pictures, which a mirror leaves in their class, also with the logits of each picture
    and of its mirror image added: the usual averaging at test time.
    """
    found = {"accuracy": _share(model.logits, sample, "")}
    if sample.x.shape[1] == 3:
        note = ", logits of each picture and its mirror image added"
        both = _share(lambda x: model.logits(x) + model.logits(x.flip(3)), sample, note)
        found["accuracy_mirrored"] = both
    return found


def _share(logits: Callable[[Tensor], Tensor], sample: Sample, note: str) -> Metric:
    parts = zip(sample.x.split(BATCH), sample.y.split(BATCH), strict=True)
    right = torch.cat([logits(x).argmax(1).cpu() == y for x, y in parts])
    p, n = float(right.double().mean()), len(right)
    stderr = math.sqrt(p * (1 - p) / n)
    return Metric(p, stderr, "share of images", n, sample.name + note)


def sample_quality(model: Samples, sample: Sample) -> Found:
    """Fréchet distance of samples to as many test images, and the classes that samples cover.

    Samples of black and white are compared with test images binarized at random, others with grey.
    Measured only where a shipped classifier knows such images; its name stands in ``data``. A
    class counts as covered from a tenth of its fair share on, by the classifier's judgement.
    """
    assert isinstance(model, Model)
    judges = frechet.extractors(model.config.channels)
    judge = next((j for j in judges if j.knows(sample.name)), None)
    if judge is None:
        return {}
    n = min(FRECHET_N, len(sample.x))
    rng = sample.rng()
    drawn = torch.cat([model.sample(min(500, n - i), rng) for i in range(0, n, 500)])
    ours, classes = judge.see(drawn.float())
    binary = bool(((drawn == 0) | (drawn == 1)).all())
    real, _ = judge.see((sample.binarized() if binary else sample.x)[:n])
    note = _binarized(sample) if binary else ""
    data = f"{n} samples against {n} of {sample.name}{note}, features of {judge.name}"
    distance = Metric(
        frechet.frechet(ours, real), frechet.jackknife(ours, real), "squared distance", n, data
    )
    counts = classes.bincount(minlength=judge.n_classes)
    covered = float((counts >= 0.1 * n / judge.n_classes).sum())
    unit = f"of {judge.n_classes} classes, each with a tenth of its fair share or more"
    return {
        "frechet": distance,
        "classes_covered": Metric(covered, 0.0, unit, n, f"{n} samples, judged by {judge.name}"),
    }


def exact_nll(model: HasLikelihood, sample: Sample) -> Found:
    """-log p(x) on pixels binarized once, at random; exact."""
    parts = [-model.log_likelihood(x) for x in sample.binarized().split(BATCH)]
    return {"nll": sample.mean(torch.cat(parts), "nats", _binarized(sample))}


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
    how = f"{_binarized(sample)}, AIS of {AIS_CHAINS} chains, {AIS_TEMPERATURES:,} temperatures"
    mean = sample.mean(-torch.cat(parts), "nats", how + bound)
    stderr = math.hypot(mean.stderr, log_z.stderr)
    return {"nll_ais": replace(mean, value=mean.value + log_z.value, stderr=stderr)}


def _binarized(sample: Sample) -> str:
    return f", dynamically binarized (seed {sample.seed})"


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
    "density": (HasDensity, density),
    "samples": (Samples, sample_quality),
}


def lines(found: Found) -> Iterator[str]:
    """Metrics as aligned lines of text, for the command line."""
    width = max((len(name) for name in found), default=0)
    for name, m in found.items():
        yield f"{name:<{width}}  {m.value:.4f} ± {m.stderr:.4f} {m.unit}, n = {m.n}, {m.data}"
