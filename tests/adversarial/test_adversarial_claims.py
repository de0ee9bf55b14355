"""What "How to read it" says of the shipped GANs, beyond what lessons claim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genlib.data.datasets import find_mnist
from genlib.explore.duel import Duel
from genlib.models.capabilities import Decodes
from genlib.ui.adversarial.gan import data
from genlib.ui.adversarial.gan.steps import COLLAPSE, COLLAPSES
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import named

pytestmark = pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")
MARGIN = 20.0


def test_real_digits_end_below_the_margin_samples_near_it_and_merges_above(shipped: Path) -> None:
    info = named("ebgan")
    energies = {group: data.group_scores(info.path, "energy", group) for group in data.GROUPS}
    median = {group: float(np.median(values)) for group, values in energies.items()}
    assert median["Test images"] < median["Generated"] < MARGIN < median["Merged"]
    assert (energies["Merged"] > MARGIN).mean() > 0.9
    first, last = info.history[0], info.history[-1]
    assert first["train/c_x"] > MARGIN > last["train/c_x"]
    assert first["train/c_gz"] < last["train/c_gz"] < MARGIN


def test_real_and_generated_images_look_alike_to_the_d_that_the_page_opens(shipped: Path) -> None:
    """Verdict: no image is told for certain, so the two histograms overlap."""
    real, made = (
        data.group_scores(named("dcgan-28").path, "verdict", group)
        for group in ("Test images", "Generated")
    )
    low, high = np.percentile(made, [5, 95])
    assert ((real > low) & (real < high)).mean() > 0.5


def test_the_walk_changes_the_image_gradually(shipped: Path) -> None:
    """A hundredth of the way from one z to the next moves the image far less than the whole way."""
    model = loading.model(named("dcgan-28"))
    assert isinstance(model, Decodes)
    a, b = torch.randn(2, model.latent_dim, generator=torch.Generator().manual_seed(0))
    angle = torch.linspace(0, np.pi / 2, 101)[:, None]
    with torch.no_grad():
        x = model.decode(angle.cos() * a + angle.sin() * b).flatten(1)
    steps = (x[1:] - x[:-1]).norm(dim=1)
    assert steps.max() < 0.25 * (x[-1] - x[0]).norm()


def test_g_alone_collapses_at_the_preset_s_rate_where_d_is_frozen(shipped: Path) -> None:
    """Step by step, "Make it collapse": 30 steps of G."""
    info = named(COLLAPSES)
    judge = data.judge_of(info)
    assert judge is not None
    pictures = loading.pictures_of(info)
    duel = Duel(loading.model(info), pictures.train_x, batch=64)
    before = data.covered(judge.info.path, duel.draw(500, 1), pictures)
    duel.lr = COLLAPSE
    for _ in range(30):
        duel.step_once("g")
    after = data.covered(judge.info.path, duel.draw(500, 1), pictures)
    assert duel.trace[-1].d_gz > 0.9, "D takes the samples for real"
    duel.close()
    assert not before.missing and before.effective > 9
    assert len(after.missing) >= 5 and after.effective < 5
