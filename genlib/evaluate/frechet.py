"""Fréchet distance between two sets of images, in the features of one of our classifiers.

Source: Heusel et al. 2017, arXiv:1706.08500, who use Inception's features; ours come from the
shipped classifier of the same pictures, so that digits are judged as digits. A number without its
extractor means nothing: the two must be named together, and compare only with its like.

    d^2 = |mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)),    features ~ N(mu, S)

The distance depends on the number of images (it is biased upwards by too few): compare at one n.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional as F

from genlib import environment
from genlib.models.base import Model
from genlib.models.capabilities import Classifies
from genlib.store import checkpoint


@runtime_checkable
class HasFeatures(Protocol):
    """A classifier whose last hidden layer serves to compare sets of images."""

    def features(self, x: Tensor) -> Tensor:
        """Activations before the last layer: (B, C, H, W) -> (B, d)."""

    def logits_of(self, features: Tensor) -> Tensor:
        """(B, d) -> (B, n_classes): the logits of the images with these features."""


# Images that go through a classifier at once. 500 took 0.23 GB between the layers of the residual
# one, these take 0.06, and no more time.
PART = 100


@dataclass(frozen=True)
class Extractor:
    """A classifier that judges images, and the name under which its numbers must be given."""

    name: str
    model: Model
    n_classes: int
    dataset: str

    def knows(self, data: str) -> bool:
        """Whether it was trained on such images: "cifar10" also knows "cifar10-64 test"."""
        return data.startswith(self.dataset)

    @torch.no_grad()
    def see(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """On the CPU, features (N, d) float64 and classes (N,) of images (N, C, H, W) in [0, 1].

        Images of another size are brought to the classifier's by averaging areas.
        """
        assert isinstance(self.model, HasFeatures)
        size = self.model.config.image_size
        features, classes = [], []
        device = self.model.device
        for part in x.split(PART):
            part = part.to(device)
            if part.shape[-1] != size:
                part = F.interpolate(part, (size, size), mode="area")
            found = self.model.features(part)
            features.append(found.cpu().double())
            classes.append(self.model.logits_of(found).argmax(1).cpu())
        return torch.cat(features), torch.cat(classes)


def may_judge(info: checkpoint.Info) -> bool:
    """Whether a checkpoint is a classifier whose judgement of samples counts.

    A robust one's doesn't: trained on attacked images, it sees less of what is on clean ones.
    """
    return "Classifies" in info.capabilities and not info.config.get("adversarial_eps")


def extractors(channels: int, device: torch.device) -> Iterator[Extractor]:
    """Shipped judges with features for images of so many channels, ready on a device."""
    for info in checkpoint.listing(environment.shipped_dir()):
        if not may_judge(info) or info.config.get("channels", 1) != channels:
            continue
        model = checkpoint.load(info, str(device))
        if isinstance(model, HasFeatures) and isinstance(model, Classifies):
            n_classes = int(
                model.logits(torch.zeros(1, *model.config.shape, device=device)).shape[1]
            )
            yield Extractor(info.name, model, n_classes, info.dataset)


def frechet(a: Tensor, b: Tensor) -> float:
    """Squared Fréchet distance of Gaussians fitted to features (N, d) and (M, d), both float64."""
    mu_a, mu_b = a.mean(0), b.mean(0)
    s_a, s_b = torch.cov(a.t()), torch.cov(b.t())
    # tr (S_a S_b)^(1/2) = sum of square roots of the eigenvalues of S_a^(1/2) S_b S_a^(1/2).
    values, vectors = torch.linalg.eigh(s_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.t()
    cross = torch.linalg.eigvalsh(root @ s_b @ root).clamp(min=0).sqrt().sum()
    return float((mu_a - mu_b).square().sum() + s_a.trace() + s_b.trace() - 2 * cross)


def jackknife(samples: Tensor, real: Tensor, groups: int = 10) -> float:
    """Standard error of ``frechet(samples, real)`` over other draws of both sets.

    Each set in turn leaves out a tenth of its images while the other stays; the variances add up.
    """
    of_samples = _left_out(samples, groups, lambda kept: frechet(kept, real))
    of_real = _left_out(real, groups, lambda kept: frechet(samples, kept))
    return (of_samples + of_real) ** 0.5


def _left_out(x: Tensor, groups: int, measure: Callable[[Tensor], float]) -> float:
    """The jackknife's variance of ``measure(x)``, leaving out one group of rows at a time."""
    parts = x.chunk(groups)
    left = [measure(torch.cat([*parts[:i], *parts[i + 1 :]])) for i in range(len(parts))]
    spread = torch.tensor(left, dtype=torch.double)
    n = len(parts)
    return float((n - 1) / n * (spread - spread.mean()).square().sum())


def noises(drawn: Tensor, binary: bool, rng: torch.Generator) -> list[Tensor]:
    """Noise to compare samples (N, C, H, W) with, on their device: uniform (or black and white)
    pixels, and the samples' own pixels in random order."""
    uniform = torch.rand(drawn.shape, generator=rng)
    order = torch.rand(drawn[0].numel() * len(drawn), generator=rng).view(len(drawn), -1).argsort(1)
    shuffled = drawn.flatten(1).gather(1, order.to(drawn.device)).view_as(drawn)
    return [(uniform.round() if binary else uniform).to(drawn.device), shuffled.float()]


def recognised(features: Tensor, real: Tensor, noises: Sequence[Tensor]) -> Tensor:
    """Which images look more like real ones than like noise to a classifier: bool (N,).

    Features (N, d) of the images in question, (M, d) of real ones, (K, d) of each kind of noise, as
    ``Extractor.see`` gives them. A classifier has no answer "none of these": ours is certain that
    uniform noise is an 8, as certain as of an 8. So its confidence proves nothing, and its features
    are asked: an image is recognised if the image whose features point in the most similar
    direction (cosine) is a real one. The direction alone, since blur and pale ink shorten the
    features of a digit without turning them.
    """
    features = F.normalize(features, dim=1)

    def likest(others: Tensor) -> Tensor:
        return (features @ F.normalize(others, dim=1).t()).amax(1)

    return likest(real) > likest(torch.cat(list(noises)))
