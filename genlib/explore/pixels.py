"""Looking inside a model that predicts each pixel from the earlier ones in reading order.

Source: van den Oord, Kalchbrenner & Kavukcuoglu 2016, arXiv:1601.06759; the blind spot of stacked
masked convolutions is that of van den Oord et al. 2016b, arXiv:1606.05328, figure 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genlib.models.capabilities import Autoregressive

PROBES = 4  # random grey images that show which pixels can matter at all


@dataclass(frozen=True)
class Growth:
    """Drawn images and what the model predicted for each pixel before it was drawn.

    images: (n, 1, H, W) of 0 and 1; logits (n, 1, H, W) of ink given the earlier pixels of the
    same image, at temperature 1.
    """

    images: Tensor
    logits: Tensor


@torch.no_grad()
def grow(
    model: Autoregressive, start: Tensor, rows: int, n: int, temperature: float, seed: int
) -> Growth:
    """Draw ``n`` images that share the first ``rows`` rows of ``start`` (1, H, W), binary.

    The predictions come from one pass over the finished images: masks make them those that were
    made on the way. Raises ValueError for rows outside the image or a temperature not above 0.
    """
    _, height, width = start.shape
    if not 0 <= rows <= height:
        raise ValueError(f"rows must be between 0 and {height}, got {rows}")
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    rng = torch.Generator().manual_seed(seed)
    noise = torch.rand(n, height * width, generator=rng).to(start)
    images = model.draw(noise, start.expand(n, 1, -1, -1).clone(), rows * width, temperature)
    return Growth(images, model.pixel_logits(images))


@dataclass(frozen=True)
class Field:
    """What one pixel's prediction looks at.

    pull (H, W): |d logit / d x| for every pixel, mean over the given images. seen (H, W): whether
    the pixel can matter at all, for any image; earlier pixels where not are the blind spot.
    """

    pull: Tensor
    seen: Tensor


def field(model: Autoregressive, x: Tensor, row: int, column: int) -> Field:
    """The receptive field of pixel (row, column), by gradients, at binary images (n, 1, H, W).

    Gradients at a few random grey images say what can matter: at black and white ones a ReLU may
    be off. Raises ValueError for a pixel outside the image.
    """
    height, width = x.shape[-2:]
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(f"pixel must lie in {height} x {width}, got ({row}, {column})")
    rng = torch.Generator().manual_seed(0)
    probes = torch.rand(PROBES, 1, height, width, generator=rng).to(x)
    asked = torch.cat([x, probes]).requires_grad_(True)
    with torch.enable_grad():
        logit = model.pixel_logits(asked)[:, 0, row, column].sum()
        (slope,) = torch.autograd.grad(logit, asked)
    slope = slope[:, 0].abs()
    return Field(slope[: len(x)].mean(0), (slope > 0).any(0))
