"""L2-PGD: images moved, within a small ball, to where a classifier errs most.

Sources: Madry et al. 2018, arXiv:1706.06083 (adversarial training); Santurkar et al. 2019,
arXiv:1906.09453 (such a classifier's gradients look like the class). With g the gradient of the
cross-entropy with respect to the image, from a random start inside the ball:

    x' <- project(x' + alpha g / |g|),   alpha = 2.5 eps / steps,   |x' - x| <= eps, x' in [0, 1]
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.models.layers import standard_normal


def pgd_l2(
    logits: Callable[[Tensor], Tensor],
    x: Tensor,
    y: Tensor,
    eps: float,
    steps: int,
    rng: torch.Generator,
) -> Tensor:
    """Images within L2 distance ``eps`` of x that raise the cross-entropy; detached.

    x: (B, C, H, W) in [0, 1]; y: (B,) classes; ``eps`` in the unit of pixels' L2 norm.
    The gradient is taken with respect to the images only.
    """
    noise = standard_normal(tuple(x.shape), rng, x)
    radius = torch.rand(len(x), generator=rng, device=rng.device).to(x)
    away = _unit(noise) * (eps * radius)[:, None, None, None]
    with torch.enable_grad():
        for _ in range(steps):
            seen = (x + away).clamp(0, 1).requires_grad_(True)
            loss = F.cross_entropy(logits(seen).float(), y, reduction="sum")
            (slope,) = torch.autograd.grad(loss, seen)
            away = (seen.detach() + _unit(slope) * (2.5 * eps / steps)).clamp(0, 1) - x
            away = away * (eps / _norm(away)).clamp(max=1)
    return (x + away).clamp(0, 1).detach()


def _norm(x: Tensor) -> Tensor:
    return x.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]


def _unit(x: Tensor) -> Tensor:
    return x / _norm(x)
