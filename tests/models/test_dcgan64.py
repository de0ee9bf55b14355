"""The transposed-convolution DCGAN: the lecture text's layers, sizes, weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genlib.models.dcgan64 import DCGAN64, DCGAN64Settings
from tests.helpers import build


def small(**settings: object) -> DCGAN64:
    return build("dcgan_64", **{"channels": 3, "ngf": 8, "ndf": 8, **settings})


def test_the_lecture_text_s_layers() -> None:
    model = DCGAN64(DCGAN64Settings(channels=3, image_size=64))
    up = [m.weight.shape[:2] for m in model.generator if isinstance(m, nn.ConvTranspose2d)]
    assert up == [(100, 512), (512, 256), (256, 128), (128, 64), (64, 3)]
    down = [m.weight.shape[:2] for m in model.discriminator if isinstance(m, nn.Conv2d)]
    assert down == [(64, 3), (128, 64), (256, 128), (512, 256), (1, 512)]
    for net, norms in ((model.generator, 4), (model.discriminator, 3)):
        assert sum(isinstance(m, nn.BatchNorm2d) for m in net) == norms
    assert sum(p.numel() for p in model.generator.parameters()) == 3_576_704  # as in the original
    assert sum(p.numel() for p in model.discriminator.parameters()) == 2_765_568


def test_weights_start_as_the_texts_say() -> None:
    model = small(image_size=64, ngf=32, ndf=32)
    convolutions = torch.cat(
        [
            m.weight.flatten()
            for m in model.modules()
            if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)
        ]
    )
    assert convolutions.std().item() == pytest.approx(0.02, rel=0.01)
    assert abs(convolutions.mean().item()) < 1e-3
    scales = torch.cat([m.weight for m in model.modules() if isinstance(m, nn.BatchNorm2d)])
    assert scales.mean().item() == pytest.approx(1, abs=0.01)
    assert scales.std().item() == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("size", [16, 20, 28, 32, 48, 56, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_have_the_size_asked_for(size: int, channels: int) -> None:
    model = small(image_size=size, channels=channels, latent_dim=5).eval()
    x = model.sample(2, torch.Generator().manual_seed(0))
    assert x.shape == (2, channels, size, size) and x.min() >= 0 and x.max() <= 1
    assert model.verdict(x).shape == (2,)
    assert torch.equal(model.decoder_layers()(torch.ones(1, 5)), model.decode(torch.ones(1, 5)))


@pytest.mark.parametrize("size", [12, 18, 36, 60, 80, 128])
def test_other_sizes_are_refused_in_words(size: int) -> None:
    with pytest.raises(ValueError, match=f"such as 28, 32 or 64, got {size}"):
        small(image_size=size)


def test_every_step_of_z_reaches_every_pixel() -> None:
    model = small(image_size=32).eval()
    z = torch.randn(1, 100, requires_grad=True)
    (gradient,) = torch.autograd.grad(model.decode(z)[0, 0, 31, 0], z)
    assert (gradient != 0).float().mean() > 0.9
