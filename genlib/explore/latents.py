"""Moves in latent space: lines, grids, means, neighbours.

Sources: slides "Autoencoder: latent space" (interpolation g((1-a) f(x) + a f(x')), generation);
Kingma & Welling 2013, arXiv:1312.6114 (the manifold through the inverse normal distribution);
Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519 (a latent is active where the variance of its
mean over the data exceeds 0.01).

Everything here takes and gives plain tensors; z is (n, d), images are (n, C, H, W) in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from genlib.losses import kl_standard_normal
from genlib.models.capabilities import Bounds, Decodes

ACTIVE_VARIANCE = 0.01


@dataclass(frozen=True)
class Axes:
    """What a model's latents look like on data; every array has one number per dimension.

    low, high: the range that a slider should have; mean, std: of the codes; kl: mean
    KL(q(z_i|x) || N(0, 1)) in nats, or None where the model has no posterior; active: whether the
    dimension says anything; order: dimensions from the most to the least telling.
    """

    low: Tensor
    high: Tensor
    mean: Tensor
    std: Tensor
    kl: Tensor | None
    active: Tensor
    order: Tensor


def axes(codes: Tensor, kl: Tensor | None = None) -> Axes:
    """Describe the latents from codes (n, d), sorted by `kl` (d,) if given, else by variance.

    The range covers all but one code in 200 at either end, with a tenth to spare, and is never
    narrower than [-0.1, 0.1] around its middle.
    """
    std, mean = codes.std(0, correction=0), codes.mean(0)
    edges = torch.quantile(codes, torch.tensor([0.005, 0.995], dtype=codes.dtype), dim=0)
    middle, reach = edges.mean(0), (edges[1] - edges[0]) * 0.6
    reach = reach.clamp(min=0.1)
    if kl is not None:
        # A posterior is compared with N(0, 1), so a slider must at least show that prior.
        middle, reach = torch.zeros_like(middle), (middle.abs() + reach).clamp(min=3.0)
    order = (kl if kl is not None else std).argsort(descending=True, stable=True)
    return Axes(middle - reach, middle + reach, mean, std, kl, std**2 > ACTIVE_VARIANCE, order)


def kl_per_dimension(model: Bounds, x: Tensor) -> Tensor:
    """Mean over images of KL(q(z_i|x) || N(0, 1)) in nats: (B, C, H, W) -> (d,)."""
    with torch.no_grad():
        return kl_standard_normal(*model.encode(x)).mean(0)


def between(a: Tensor, b: Tensor, amounts: Tensor) -> Tensor:
    """(1 - t) a + t b for each t: two of the same shape (...) and (n,) -> (n, ...)."""
    t = amounts.view(-1, *[1] * a.dim())
    return (1 - t) * a + t * b


def traversals(model: Decodes, z: Tensor, dimensions: Tensor, values: Tensor) -> Tensor:
    """Change one number of z at a time.

    z (d,), dimensions (k,), values (k, steps): row i sets z[dimensions[i]] to each of values[i].
    Returns images (k, steps, C, H, W), decoded as one batch.
    """
    rows, steps = values.shape
    many = z.repeat(rows, steps, 1)
    index = dimensions.view(rows, 1, 1).expand(rows, steps, 1)
    many = many.scatter(2, index, values.unsqueeze(2))
    with torch.no_grad():
        images = model.decode(many.flatten(0, 1))
    return images.view(rows, steps, *images.shape[1:])


def normal_quantiles(side: int) -> Tensor:
    """The middles of `side` equally likely slices of N(0, 1), ascending: (side,)."""
    slices = (torch.arange(side) + 0.5) / side
    return torch.special.ndtri(slices.double()).float()


def manifold_grid(across: Tensor, up: Tensor) -> Tensor:
    """Codes (len(up) * len(across), 2) for a picture of pictures.

    up[-1]  .  .  .        first code: across[0], up[-1], since pictures are
      ...   .  .  .        listed from the top left while the second latent
    up[0]   .  .  .        grows upwards, as in a plot
         across[0] ...
    """
    rows = up.flip(0).repeat_interleave(len(across))
    return torch.stack([across.repeat(len(up)), rows], 1)


def class_means(codes: Tensor, labels: Tensor) -> dict[int, Tensor]:
    """Mean code (d,) of each class that occurs, from codes (n, d) and labels (n,)."""
    return {int(c): codes[labels == c].mean(0) for c in labels.unique()}


def nearest(codes: Tensor, z: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k codes closest to z (d,) by Euclidean distance: indices (k,), distances (k,)."""
    distance = (codes - z).square().sum(1).sqrt()
    found = distance.topk(min(k, len(codes)), largest=False)
    return found.indices, found.values


def walk(z: Tensor, stops: Tensor, steps: int) -> Tensor:
    """A closed walk from z (d,) through stops (m, d) and back, `steps` codes a leg: (n, d).

    Speed follows 3t^2 - 2t^3 on each leg, so that the picture rests a little at every stop.
    """
    t = torch.arange(steps) / steps
    eased = t * t * (3 - 2 * t)
    places = [z, *stops, z]
    legs = [between(a, b, eased) for a, b in pairwise(places)]
    return torch.cat(legs)
