"""What the Latent space page says one will see, checked on the shipped models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genlib.models.capabilities import Classifies
from genlib.store import checkpoint
from genlib.ui.kit import loading
from genlib.ui.latents.latent_space import data
from tests.helpers import ok, visit


@pytest.fixture
def need(shipped: Path) -> Path:
    """The shipped checkpoints, all that these claims are about."""
    for name in ("vae-20", "ae-30", "classifier"):
        if not (shipped / f"{name}.safetensors").is_file():
            pytest.skip(f"{name} is not in checkpoints/")
    return shipped


def digit(label: int, number: int) -> torch.Tensor:
    """A test digit (1, 28, 28), as the pickers of the page find it."""
    test = loading.dataset()
    index = int((test.test_y == label).nonzero().flatten()[number])
    return test.test_x[index].float() / 255


def halfway(
    folder: Path, start: tuple[int, int], end: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the classifier says of the middle between two digits: (10,) in latents, in pixels."""
    found = data.space(checkpoint.peek(folder / "vae-20.safetensors"))
    judge = checkpoint.load(folder / "classifier.safetensors")
    assert isinstance(judge, Classifies)
    a, b = digit(*start), digit(*end)
    decoded = torch.from_numpy(found.decode((found.encode(a) + found.encode(b))[None] / 2))
    with torch.no_grad():
        said = judge.logits(torch.cat([decoded, (a + b)[None] / 2])).softmax(1)
    return said[0], said[1]


def test_the_middle_of_the_default_way_is_a_digit(need: Path) -> None:
    app = ok(visit("latents/latent_space.py", **{"latent_space.view": "Between two digits"}))
    ends = [
        (
            int(app.selectbox(key=f"latent_space.{end}.class").value),
            int(app.number_input(key=f"latent_space.{end}.nth").value),
        )
        for end in "ab"
    ]
    assert ends == [(3, 0), (8, 1)]
    latents, _ = halfway(need, *ends)
    assert int(latents.argmax()) == 8 and float(latents.max()) > 0.9


def test_the_middle_of_a_1_and_a_6_is_a_smear(need: Path) -> None:
    latents, _ = halfway(need, (1, 2), (6, 1))
    assert float(latents.max()) < 0.9


def test_the_first_latent_of_vae_20_changes_more_than_the_last(need: Path) -> None:
    found = data.space(checkpoint.peek(need / "vae-20.safetensors"))
    code = found.encode(digit(3, 0))

    def change(i: int) -> float:
        ends = np.stack([code, code])
        ends[:, i] = float(found.axes.low[i]), float(found.axes.high[i])
        low, high = found.decode(ends)
        return float(((low - high) ** 2).sum())

    order = found.axes.order.tolist()
    assert change(order[0]) > 2 * change(order[-1])


def test_the_last_three_latents_of_ae_30_are_hardly_used(need: Path) -> None:
    found = data.space(checkpoint.peek(need / "ae-30.safetensors"))
    variance = (found.axes.std**2)[found.axes.order]
    assert float(variance[-3:].max()) < 0.01 and float(variance[0]) > 0.2
