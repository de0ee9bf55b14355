"""A small residual classifier for colour pictures: class images in colour, features of pictures.

Residual connections: He et al. 2015, arXiv:1512.03385. The plan is that of the nets made for quick
training on CIFAR-10 (Page 2018, "How to train your ResNet"; Jordan 2024, arXiv:2404.00498): a fixed
2x2 whitening first, then three groups that halve the image::

    whiten 2x2 -> GELU -> [conv 3x3 -> pool -> norm -> GELU -> + (conv 3x3 -> norm -> GELU)] x 3
    -> largest of each channel -> logits

Simplified: the whitening comes from the statistics of natural pictures in general, not from the
training set, so that a model needs nothing but its settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib.models.classifier import AttackedClassifier, AttackedSettings
from genlib.models.optimizers import SGD
from genlib.settings import setting

# Standard deviation of natural pictures (pixels in [0, 1]) along the patterns of a 2x2 patch: rows
# are mean, vertical edge, horizontal edge, saddle; columns brightness, red-blue, green-magenta.
# Differences of colour are taken as 0.02 at least, so that no noise is made large.
SPREAD = ((0.80, 0.23, 0.10), (0.15, 0.02, 0.02), (0.15, 0.02, 0.02), (0.06, 0.02, 0.02))
MEAN = 0.45  # brightness of natural pictures


@dataclass(frozen=True)
class ResidualSettings(AttackedSettings):
    """Sizes of the residual classifier."""

    n_classes: int = setting(10, 2, 1000, "Number of classes.")
    widths: tuple[int, ...] = setting((48, 128, 192), 4, 512, "Channels of each group.")
    smoothing: float = setting(
        0.1, 0.0, 0.9, "Label smoothing: share of the target spread evenly over all classes."
    )


class Whiten(nn.Module):
    """Project 2x2 patches on patterns scaled to unit spread, with both signs; fixed numbers.

    The patterns are Haar's four times three opponent colours (one for grey): natural pictures have
    nearly independent parts along them. (B, C, H, W) in [0, 1] -> (B, 8 C, H - 1, W - 1).
    """

    weight: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        with torch.device("cpu"):  # numbers, even where only the shapes of a model are wanted
            self.register_buffer("weight", self._patterns(channels))

    @staticmethod
    def _patterns(channels: int) -> Tensor:
        haar = torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
        colours = torch.eye(channels)
        spread = torch.tensor(SPREAD)[:, :1].expand(4, channels) / 3**0.5
        if channels == 3:
            colours = F.normalize(torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]]), dim=1)
            spread = torch.tensor(SPREAD)
        patterns = torch.einsum("hp,kc->hkcp", haar, colours) / spread[:, :, None, None]
        patterns = patterns.reshape(4 * channels, channels, 2, 2)
        return torch.cat([patterns, -patterns])

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x - MEAN, self.weight)


class Group(nn.Module):
    """Halve the image, then add what a convolution finds: (B, n_in, H, W) -> (B, n, H/2, W/2)."""

    def __init__(self, n_in: int, n: int) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(n_in, n, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(n),
            nn.GELU(),
        )
        self.more = nn.Sequential(
            nn.Conv2d(n, n, 3, padding=1, bias=False), nn.BatchNorm2d(n), nn.GELU()
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        return x + self.more(x)


class ResidualClassifier(AttackedClassifier):
    """Three residual groups behind a fixed whitening; smoothed cross-entropy in nats."""

    family = "residual_classifier"
    title = "Residual classifier"
    source = "He et al. 2015, arXiv:1512.03385; Jordan 2024, arXiv:2404.00498"
    Config = ResidualSettings
    config: ResidualSettings
    defaults: ClassVar[dict[str, object]] = {
        "epochs": 11,
        "lr": 0.02,  # 0.4, as for all of CIFAR-10, diverges on 750 pictures
        "batch_size": 256,
        "weight_decay": 1e-3,
        "schedule": "onecycle",
        "augment": "flip_shift",
    }

    def __init__(self, config: ResidualSettings) -> None:
        super().__init__(config)
        if config.image_size < 2 ** (len(config.widths) + 1):
            raise ValueError(
                f"image_size must be at least {2 ** (len(config.widths) + 1)} for "
                f"{len(config.widths)} widths, got {config.image_size}"
            )
        widths = (8 * config.channels, *config.widths)
        groups = [Group(a, b) for a, b in pairwise(widths)]
        self.layers = nn.Sequential(
            Whiten(config.channels),
            nn.GELU(),
            *groups,
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Linear(widths[-1], config.n_classes),
        )

    def logits(self, x: Tensor) -> Tensor:
        """Unnormalised log-probabilities: (B, C, H, W) in [0, 1] -> (B, n_classes)."""
        return self.layers(x)

    def features(self, x: Tensor) -> Tensor:
        """Largest value of each channel of the last group: (B, C, H, W) -> (B, widths[-1])."""
        return self.layers[:-1](x)

    def logits_of(self, features: Tensor) -> Tensor:
        """The last layer: (B, d) -> (B, n_classes); of ``features(x)``, the logits of x."""
        return self.layers[-1](features)

    def optimizers(self, lr: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """Gradient descent with Nesterov's momentum 0.85; only convolutions and the last layer
        decay, so that norms and biases keep their scale."""
        decayed = [p for p in self.parameters() if p.ndim > 1]
        kept = [p for p in self.parameters() if p.ndim <= 1]
        groups: list[dict[str, object]] = [
            {"params": decayed, "weight_decay": weight_decay},
            {"params": kept},
        ]
        return {"sgd": SGD(groups, lr, momentum=0.85, nesterov=True)}

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Smoothed cross-entropy in nats (training only) and accuracy in [0, 1], batch means."""
        logits = self.logits(self.attacked(x, y, rng))
        smoothing = self.config.smoothing if self.training else 0.0
        return {
            "loss": F.cross_entropy(logits, y, label_smoothing=smoothing),
            "accuracy": (logits.detach().argmax(1) == y).float().mean(),
        }
