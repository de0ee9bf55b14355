"""Likelihoods and their bounds, each with its standard error.

Sources: ELBO, Kingma & Welling 2013 (arXiv:1312.6114); importance-weighted bound and active
units, Burda, Grosse & Salakhutdinov 2016 (arXiv:1509.00519); annealed importance sampling,
Salakhutdinov & Murray 2008.

Bounds use sampled z: at z = mu the number reads several nats too good and bounds nothing. Grey
and binarized pixels are different data: their nats must not be compared.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from genlib import losses
from genlib.evaluate.metric import BATCH, Found, Metric, Sample
from genlib.models.annealing import log_mean
from genlib.models.capabilities import Annealed, Bounds, HasDensity, HasFreeEnergy, HasLikelihood

IWAE_K = 200
IWAE_N = 1000
AIS_CHAINS = 100
AIS_TEMPERATURES = 20_000  # a minute and a half for 784-500 on one core
ACTIVE = 0.01  # Var_x(E_q[z]) above which Burda et al. call a unit active


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
