"""Does a model notice that an image isn't a digit? Merge two digits and ask for its energy.

Source: lecture text "Autoencoders to GANs", figure 8: a denoising autoencoder is an energy-based
model that gives low energy to the data; a merge of two digits, which it never saw, should come out
high. We add two other ways to merge, a contrast-invariant energy, and the AUC, so that "high" is a
number. Simplified: energies are compared at one network pass, no search over latents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib import losses
from genlib.models.capabilities import Bounds, HasEnergy, Reconstructs

Merge = Callable[[Tensor, Tensor, float], Tensor]
Energy = Callable[[Tensor, Tensor], Tensor]
Floats = NDArray[np.float64]
OWN = "own"
BATCH = 1000


def blend(a: Tensor, b: Tensor, alpha: float) -> Tensor:
    """(1 - alpha) a + alpha b: the lecture's merge. It is paler than either digit."""
    return (1 - alpha) * a + alpha * b


def brighter(a: Tensor, b: Tensor, alpha: float) -> Tensor:
    """Pixelwise max(a, b): both digits at full contrast. ``alpha`` has no meaning here."""
    return torch.maximum(a, b)


def splice(a: Tensor, b: Tensor, alpha: float) -> Tensor:
    """The upper rows of a over the lower rows of b; b has the share ``alpha`` of the rows.

    a a a a   alpha = 0.25, 4 rows
    a a a a
    a a a a
    b b b b
    """
    height = a.shape[-2]
    cut = height - round(alpha * height)
    return torch.cat([a[..., :cut, :], b[..., cut:, :]], dim=-2)


MERGES: dict[str, Merge] = {"alpha": blend, "max": brighter, "splice": splice}


def squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """||x - x_hat||^2 summed over pixels in [0, 1], per image: (B, ...), (B, ...) -> (B,)."""
    return (x - x_hat).square().flatten(1).sum(1)


def one_minus_correlation(x: Tensor, x_hat: Tensor) -> Tensor:
    """1 - Pearson correlation over the pixels of an image and its reconstruction: (B,), 0 to 2.

    Scaling or shifting either image's grey values changes nothing, so a paler merge gains nothing
    from being pale. An image of one grey value correlates with nothing: energy 1.
    """
    u = x.flatten(1) - x.flatten(1).mean(1, keepdim=True)
    v = x_hat.flatten(1) - x_hat.flatten(1).mean(1, keepdim=True)
    return 1 - (u * v).sum(1) / (u.norm(dim=1) * v.norm(dim=1)).clamp_min(1e-12)


ENERGIES: dict[str, Energy] = {
    "squared error": squared_error,
    "1 - correlation": one_minus_correlation,
}


@torch.no_grad()
def energies(
    model: Reconstructs, x: Tensor, kind: str, rng: torch.Generator | None = None
) -> Floats:
    """Energies of images (B, C, H, W) -> (B,), in batches.

    ``kind`` is a key of ENERGIES, or "own" for the model's own energy (its unit is in the
    family's docstring; for a VAE, nats). Where that one is sampled, all images share one noise;
    with ``rng`` each has noise of its own, as a spread over many images needs it. Raises ValueError
    for any other kind.
    """
    if kind == OWN and rng is not None and isinstance(model, Bounds):
        parts = [_negative_elbo(model, part, rng) for part in x.split(BATCH)]
    elif kind == OWN:
        if not isinstance(model, HasEnergy):
            raise ValueError("kind 'own' needs a model that has an energy of its own")
        parts = [model.energy(part) for part in x.split(BATCH)]
    elif kind in ENERGIES:
        parts = [ENERGIES[kind](part, model.reconstruct(part)) for part in x.split(BATCH)]
    else:
        raise ValueError(f"kind must be one of {', '.join([*ENERGIES, OWN])}, got {kind!r}")
    return torch.cat(parts).cpu().double().numpy()


def _negative_elbo(model: Bounds, x: Tensor, rng: torch.Generator) -> Tensor:
    """-ELBO in nats with one z ~ q(z|x) for each image: (B, C, H, W) -> (B,)."""
    q = model.encode(x)
    kl = losses.kl_standard_normal(*q).sum(1)
    return losses.bernoulli_nll(model.decode_logits(q.sample(rng)), x) + kl


def different_pairs(y: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Draw n pairs of indices whose classes differ: labels (N,) -> (n, 2).

    Every such pair is equally likely (drawn uniformly, equal classes drawn again). Raises
    ValueError when all labels are the same.
    """
    if len(y.unique()) < 2:
        raise ValueError("y must hold at least two classes to merge different digits")
    pairs = torch.randint(len(y), (n, 2), generator=rng)
    while (same := y[pairs[:, 0]] == y[pairs[:, 1]]).any():
        pairs[same] = torch.randint(len(y), (int(same.sum()), 2), generator=rng)
    return pairs


def merge_pairs(
    x: Tensor, y: Tensor, how: str, n: int, rng: torch.Generator, alpha: float = 0.5
) -> Tensor:
    """Merge n random pairs of different classes: (N, C, H, W), (N,) -> (n, C, H, W).

    ``how`` is a key of MERGES, 0 <= alpha <= 1; raises ValueError otherwise.
    """
    if how not in MERGES:
        raise ValueError(f"how must be one of {', '.join(MERGES)}, got {how!r}")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
    first, second = different_pairs(y, n, rng).unbind(1)
    return MERGES[how](x[first], x[second], alpha)


@dataclass(frozen=True)
class AUC:
    """Area under the ROC curve and its standard error."""

    value: float
    stderr: float


def auc(real: Floats, merged: Floats) -> AUC:
    """P(energy of a merge > energy of a real digit), ties counting half; standard error by DeLong.

    (N,), (M,) -> value in [0, 1]; 0.5 is guessing. Energies with noise in them may be drawn several
    times, (K, N), (K, M): the mean over the draws, and a standard error of images and noise, since
    every image has noise of its own. With V the share of real digits below each
    merge, and W the share of merges above each real digit, value = mean V and
    stderr^2 = var(V) / M + var(W) / N (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44).
    It takes energies as independent; digits used in several merges make it slightly too small.
    Raises ValueError for fewer than two of either.
    """
    real, merged = np.atleast_2d(real), np.atleast_2d(merged)
    n, m = real.shape[1], merged.shape[1]
    if n < 2 or m < 2:
        raise ValueError(f"auc needs two energies of each, got {n} and {m}")
    draws = list(zip(real, merged, strict=True))
    below = np.mean([_share_below(np.sort(a), b) for a, b in draws], 0)
    above = 1 - np.mean([_share_below(np.sort(b), a) for a, b in draws], 0)
    variance = below.var(ddof=1) / m + above.var(ddof=1) / n
    return AUC(float(below.mean()), float(np.sqrt(variance)))


def _share_below(ordered: Floats, values: Floats) -> Floats:
    """For each value the share of ``ordered`` below it, ties counting half."""
    less = np.searchsorted(ordered, values, side="left")
    at_most = np.searchsorted(ordered, values, side="right")
    return (less + at_most) / (2 * len(ordered))


def share_above(real: Floats, values: Floats) -> Floats:
    """Share of real digits with at least this energy, for each value: (N,), (T,) -> (T,)."""
    return 1 - np.searchsorted(np.sort(real), values, side="left") / len(real)


def roc(real: Floats, merged: Floats) -> tuple[Floats, Floats]:
    """ROC curve of "energy >= threshold means merged": false and true positive rates, rising.

    Both from 0 to 1; equal energies are one step, so that the area is ``auc`` exactly.
    """
    thresholds = np.unique(np.concatenate([real, merged]))[::-1]
    false = share_above(real, thresholds)
    true = share_above(merged, thresholds)
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], true])


@dataclass(frozen=True)
class Sweep:
    """One pair of digits merged at every alpha, and what one model made of each."""

    alpha: Floats  # (T,)
    x: Tensor  # (T, C, H, W) merges
    x_hat: Tensor  # (T, C, H, W) reconstructions
    energy: Floats  # (T,)


def merges(a: Tensor, b: Tensor, how: str, steps: int) -> tuple[Floats, Tensor]:
    """Alpha from 0 to 1 (T,), and digits a and b (C, H, W) merged at each: (T, C, H, W)."""
    alpha = np.linspace(0.0, 1.0, steps)
    return alpha, torch.stack([MERGES[how](a, b, float(t)) for t in alpha])


@torch.no_grad()
def along_alpha(
    model: Reconstructs, a: Tensor, b: Tensor, how: str, kind: str, steps: int = 101
) -> Sweep:
    """Energy on the way from digit a to digit b: (C, H, W), (C, H, W) -> Sweep over ``steps``."""
    alpha, x = merges(a, b, how, steps)
    # One image at a time: an energy that samples with a fixed seed then draws the same noise at
    # every alpha, and the curve shows the merge instead of the noise.
    size = 1 if kind == OWN else steps
    energy = np.concatenate([energies(model, part, kind) for part in x.split(size)])
    return Sweep(alpha, x, model.reconstruct(x), energy)
