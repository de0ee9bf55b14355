"""A small convolutional classifier, for class images and for features of digits.

Source: overview text "Generative models" (y = f(image)). Layers for 28x28 grey images:

    conv 3x3, 16 -> pool -> conv 3x3, 32 -> pool -> dense 64 -> logits
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib.models.adversarial import pgd_l2
from genlib.models.base import Model, ModelSettings
from genlib.settings import setting


@dataclass(frozen=True)
class AttackedSettings(ModelSettings):
    """What every classifier that can be trained on adversarial examples shares."""

    adversarial_eps: float = setting(
        0.0,
        0.0,
        100.0,
        "Train on adversarial examples: images changed by up to this L2 distance so that the "
        "classifier errs (PGD); 0 trains on the original images.",
    )
    adversarial_steps: int = setting(4, 1, 50, "Steps of the attack on each training batch.")


class AttackedClassifier(Model):
    """A classifier that is trained on adversarial examples where ``adversarial_eps`` > 0."""

    units: ClassVar[Mapping[str, str]] = {"accuracy": "share of images"}
    config: AttackedSettings

    def logits(self, x: Tensor) -> Tensor:
        """Unnormalised log-probabilities: (B, C, H, W) in [0, 1] -> (B, n_classes)."""
        raise NotImplementedError

    def attacked(self, x: Tensor, y: Tensor, rng: torch.Generator) -> Tensor:
        """The images to train on: (B, C, H, W) in [0, 1] -> same.

        The attack sees the network as it is when used (running statistics, no dropout), as in
        Madry's own code; its weights get no gradient.
        """
        if not self.training or self.config.adversarial_eps == 0:
            return x
        self.eval()
        try:
            eps, steps = self.config.adversarial_eps, self.config.adversarial_steps
            return pgd_l2(self.logits, x, y, eps, steps, rng)
        finally:
            self.train()


@dataclass(frozen=True)
class ClassifierSettings(AttackedSettings):
    """Sizes of the classifier."""

    n_classes: int = setting(10, 2, 1000, "Number of classes.")
    width: int = setting(
        16, 1, 256, "Channels of the first convolution; the second has twice as many."
    )
    dense: int = setting(64, 1, 4096, "Width of the fully connected layer.")
    dropout: float = setting(0.25, 0.0, 0.9, "Share of dense inputs dropped in training.")


class Classifier(AttackedClassifier):
    """Two convolutions, two dense layers; softmax cross-entropy in nats."""

    family = "classifier"
    title = "Classifier"
    source = "Overview text “Generative models”, class visualization"
    Config = ClassifierSettings
    config: ClassifierSettings
    defaults: ClassVar[dict[str, object]] = {"epochs": 6, "lr": 0.01, "schedule": "onecycle"}

    def __init__(self, config: ClassifierSettings) -> None:
        super().__init__(config)
        c, w, s = config.channels, config.width, config.image_size // 4
        self.layers = nn.Sequential(
            nn.Conv2d(c, w, 3, padding=1),
            nn.BatchNorm2d(w),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(w, 2 * w, 3, padding=1),
            nn.BatchNorm2d(2 * w),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * w * s * s, config.dense),
            nn.ReLU(),
            nn.Linear(config.dense, config.n_classes),
        )

    def logits(self, x: Tensor) -> Tensor:
        """Unnormalised log-probabilities: (B, C, H, W) in [0, 1] -> (B, n_classes)."""
        return self.layers(x)

    def features(self, x: Tensor) -> Tensor:
        """Activations before the last layer: (B, C, H, W) -> (B, dense)."""
        return self.layers[:-1](x)

    def logits_of(self, features: Tensor) -> Tensor:
        """The last layer: (B, dense) -> (B, n_classes); of ``features(x)``, the logits of x."""
        return self.layers[-1](features)

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Cross-entropy in nats and accuracy in [0, 1], batch means; in training, under attack."""
        logits = self.logits(self.attacked(x, y, rng))
        return {
            "loss": F.cross_entropy(logits, y),
            "accuracy": (logits.detach().argmax(1) == y).float().mean(),
        }
