"""The exported operation list must give PyTorch's pixels, and refuse what it cannot say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from genlib.export.network import export, run
from genlib.models.layers import Affine, Clamp


def randomised(layers: nn.Sequential) -> nn.Sequential:
    """Give batch norms statistics that matter, as training would."""
    for module in layers.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.3, 2.0)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return layers.eval()


DECODERS = {
    "mlp vae": lambda: nn.Sequential(
        nn.Linear(20, 400),
        nn.ReLU(),
        nn.Linear(400, 784),
        nn.Unflatten(1, (1, 28, 28)),
        nn.Sigmoid(),
    ),
    "tanh autoencoder": lambda: nn.Sequential(
        nn.Linear(30, 784), nn.Tanh(), Affine(0.5, 0.5), nn.Unflatten(1, (1, 28, 28))
    ),
    "linear output": lambda: nn.Sequential(
        nn.Linear(2, 64), Clamp(0.0, 1.0), nn.Unflatten(1, (1, 8, 8))
    ),
    "conv vae": lambda: nn.Sequential(
        nn.Linear(20, 32 * 49),
        nn.Unflatten(1, (32, 7, 7)),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 4, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 4, 2, 1),
        nn.Sigmoid(),
    ),
    "dcgan": lambda: nn.Sequential(
        nn.Unflatten(1, (10, 1, 1)),
        nn.ConvTranspose2d(10, 16, 7, 1, 0, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 3, 2, 1, output_padding=1),
        nn.BatchNorm2d(8),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(8, 3, 4, 2, 1),
        nn.Tanh(),
        Affine(0.5, 0.5),
    ),
    "upsampling": lambda: nn.Sequential(
        nn.Sequential(nn.Linear(6, 5 * 9), nn.BatchNorm1d(45), nn.ReLU()),
        nn.Unflatten(1, (5, 3, 3)),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(5, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.LeakyReLU(0.1),
        nn.Conv2d(4, 2, 3, stride=2, padding=1, bias=False),
        nn.Flatten(),
        nn.Linear(18, 12),
        nn.Sigmoid(),
        nn.Unflatten(1, (3, 2, 2)),
    ),
}


@pytest.mark.parametrize("name", DECODERS)
def test_the_reader_gives_pytorchs_pixels(name: str) -> None:
    torch.manual_seed(0)
    layers = randomised(DECODERS[name]())
    exported = export(layers)
    z = torch.randn(1000, exported.latent_dim)
    with torch.no_grad():
        expected = layers(z).numpy()
    found = run(exported, z.numpy())
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5
    assert expected.std() > 0.02  # the pictures differ from each other, so the test can fail


def test_half_precision_only_where_it_loses_nothing() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(4, 9), nn.Sigmoid(), nn.Unflatten(1, (1, 3, 3)))
    full = export(layers)
    half = export(layers.half().float())
    assert (full.dtype, len(full.weights)) == ("float32", 4 * 45)
    assert (half.dtype, len(half.weights)) == ("float16", 2 * 45)
    assert full.digest != half.digest
    z = torch.randn(10, 4)
    with torch.no_grad():
        expected = layers(z).numpy()
    assert np.abs(run(half, z.numpy()) - expected).max() < 1e-6


def test_multiply_adds_are_counted() -> None:
    assert export(DECODERS["mlp vae"]()).macs == 20 * 400 + 400 * 784
    conv = 20 * 1568 + 49 * 32 * 16 * 16 + 196 * 16 * 16
    assert export(DECODERS["conv vae"]()).macs == conv


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        (nn.Sequential(nn.Linear(2, 4), nn.GELU()), "layer 1: GELU"),
        (nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.BatchNorm1d(4)), "layer 2 .BatchNorm1d"),
        (
            nn.Sequential(
                nn.Linear(2, 8), nn.Unflatten(1, (2, 2, 2)), nn.Conv2d(2, 2, 1, groups=2)
            ),
            "layer 2 .Conv2d.*groups",
        ),
        (nn.Sequential(nn.Linear(2, 8), nn.Linear(4, 8)), "layer 1 .Linear.*4"),
        (nn.Sequential(nn.ReLU()), "layer 0 .ReLU.*size of z"),
        (
            nn.Sequential(
                nn.Linear(2, 4),
                nn.Unflatten(1, (1, 2, 2)),
                nn.Upsample(scale_factor=2, mode="bilinear"),
            ),
            "layer 2 .Upsample.*bilinear",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(layers: nn.Sequential, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        export(layers.eval())


def test_the_reader_refuses_z_of_another_size() -> None:
    exported = export(DECODERS["linear output"]())
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        run(exported, np.zeros((1, 3), np.float32))


def test_exporting_leaves_the_model_alone() -> None:
    layers = randomised(DECODERS["dcgan"]())
    before = {k: v.clone() for k, v in layers.state_dict().items()}
    export(layers)
    assert all(torch.equal(v, before[k]) for k, v in layers.state_dict().items())
