"""What Home says one will see behind its first clicks, on the states that they open.

“Half a 3 and half an 8” is a lesson of Merged digits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genlib.data.datasets import find_mnist
from genlib.models.capabilities import Decodes
from genlib.ui import menu
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import named, probabilities
from genlib.ui.latents.latent_map import data

pytestmark = pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")


def test_two_numbers_draw_every_digit_and_between_digits_there_is_neither(shipped: Path) -> None:
    click = menu.page("latent_space").first_click
    assert click is not None and "Two numbers draw every digit" in click.text
    info = named(click.query["latent_space.model"])
    codes, model = loading.test_latents(info), loading.model(info)
    assert isinstance(model, Decodes) and model.latent_dim == 2
    low, high = np.quantile(codes, [0.01, 0.99], axis=0)
    axes = [torch.linspace(float(a), float(b), 60) for a, b in zip(low, high, strict=True)]
    with torch.no_grad():
        p = probabilities(model.decode(torch.cartesian_prod(*axes)))
    sure = p.argmax(1)[p.amax(1) > 0.6]
    assert sure.unique().tolist() == list(range(10))
    assert float(p.amax(1).min()) < 0.5


def test_there_are_fours_among_the_nines_of_the_map(shipped: Path) -> None:
    click = menu.page("latent_map").first_click
    assert click is not None and "a 4 among the 9s" in click.text
    info = named("vae-20")
    some = data.points(info, 2000)
    flat = data.stored_map(info.epoch, info, info, some, 30.0, 0)
    assert flat is not None
    square = ((flat.positions[:, None] - flat.positions[None]) ** 2).sum(-1)
    near = some.labels[square.argsort(axis=1)[:, 1:6]]
    lost = (some.labels == 4) & ((near == 9).sum(axis=1) >= 4)
    assert lost.sum() >= 3
