"""The usual nets and losses for MNIST, as pytorch/examples' VAE and the lecture notebook have them.

Written here as the baseline of ``epoch.py``; nothing in genlib uses them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Loss = Callable[[nn.Module, Tensor], Tensor]


class ExampleVAE(nn.Module):
    """784-400-20 with a sigmoid output."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.mu, self.logvar = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.fc3, self.fc4 = nn.Linear(20, 400), nn.Linear(400, 784)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = F.relu(self.fc1(x.view(-1, 784)))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar


class NotebookAE(nn.Module):
    """784-d-784, tanh twice."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, d), nn.Tanh())
        self.decoder = nn.Sequential(nn.Linear(d, 784), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


def vae_loss(model: nn.Module, images: Tensor) -> Tensor:
    """Cross-entropy plus KL, summed over the batch, as the example does; nats."""
    x_hat, mu, logvar = model(images)
    bce = F.binary_cross_entropy(x_hat, images.view(-1, 784), reduction="sum")
    return bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


def ae_loss(model: nn.Module, images: Tensor) -> Tensor:
    """Mean squared error over pixels."""
    flat = images.view(images.size(0), -1)
    return F.mse_loss(model(flat), flat)


def dae_loss(model: nn.Module, images: Tensor) -> Tensor:
    """Mean squared error to the clean image, half of the pixels dropped by nn.Dropout."""
    flat = images.view(images.size(0), -1)
    noise = nn.Dropout()(torch.ones(flat.shape))
    return F.mse_loss(model(flat * noise), flat)
