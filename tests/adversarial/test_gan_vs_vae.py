"""The page GAN against VAE: the table of epochs with small models, its gaps, its link."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from genlib.models import Model
from genlib.models.gan import MLPGAN, MLPGANSettings
from genlib.models.vae import VAE, VAESettings
from genlib.store import checkpoint
from genlib.ui.adversarial import gan_vs_vae
from genlib.ui.adversarial.gan import data
from tests.helpers import html, visit

run = partial(visit, "adversarial/gan_vs_vae.py", "versus")


def keep(folder: Path, name: str, model: Model, epochs: tuple[int, ...]) -> None:
    """Save a model with other weights for each epoch, the last as the checkpoint."""
    (folder / f"{name}.snapshots").mkdir()
    for epoch in epochs:
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(1.3)
        file = folder / f"{name}.snapshots" / f"epoch-{epoch:04}.safetensors"
        if epoch == epochs[-1]:
            file = folder / f"{name}.safetensors"
        checkpoint.save(file, model, name=name, dataset="mnist", seed=0, epoch=epoch)


@pytest.fixture
def tiny(shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A GAN of epochs 0, 1, 10, 25 and a VAE of 1 and 25."""
    monkeypatch.setattr(data, "N", 60)
    folder = shelf({})
    gan = MLPGAN(MLPGANSettings(latent_dim=4, hidden=(8,)))
    keep(folder, "gan", gan, (0, 1, 10, 25))
    keep(folder, "vae", VAE(VAESettings(latent_dim=2, hidden=(8,))), (1, 25))
    return folder


def grids(app: AppTest) -> list[str]:
    """What the grids show, row by row."""
    return re.findall(r'<img alt="[^"]*" src="([^"]+)"', html(app))


def test_without_models_the_page_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path / "none"))
    st.cache_data.clear()
    monkeypatch.setattr(st, "page_link", lambda *args, **kwargs: None)
    assert "Train a model on the Train page" in run().info[0].value


def test_the_lecture_s_columns_and_the_epoch_that_was_not_kept(tiny: Path) -> None:
    app = run()
    assert app.multiselect(key="versus.epochs").value == [1, 10, 25]
    assert len(grids(app)) == 5  # the VAE kept no epoch 10
    assert "vae has no saved weights for epoch 10, only for 1, 25" in html(app)
    assert len(set(grids(app))) == 5


def test_each_grid_is_counted_and_so_are_real_images(tiny: Path) -> None:
    counted = run().dataframe[0].value
    assert list(counted["model"]) == ["vae"] * 2 + ["gan"] * 3 + ["real test images"]
    assert list(counted["epoch"]) == ["1", "25", "1", "10", "25", "–"]
    assert all(re.fullmatch(r"\d+%", share) for share in counted["grey ink"])


def test_z_is_the_same_along_a_row_and_another_after_new_z(tiny: Path) -> None:
    app = run()
    before = grids(app)
    assert len(before) == 5 and grids(run()) == before
    app.button(key="versus.new").click().run()
    assert not app.exception
    assert not set(grids(app)) & set(before)
    assert app.query_params["versus.seed"] == "1"
    first, last = (
        data.samples(tiny / f"gan{name}.safetensors", 4, 0)
        for name in (".snapshots/epoch-0001", "")
    )
    with torch.no_grad():
        z = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
        for shown, file in ((first, "gan.snapshots/epoch-0001"), (last, "gan")):
            model = checkpoint.load(tiny / f"{file}.safetensors")
            assert isinstance(model, MLPGAN)
            assert (shown == data.pixels(model.decode(z))).all()


def test_pictures_of_other_sizes_and_colours_fit_into_one_table() -> None:
    grey, colour = np.full((4, 6), 9, np.uint8), np.full((8, 3, 3), 200, np.uint8)
    made = gan_vs_vae.alike([grey, None, colour])
    assert made.shape == (3, 8, 6, 3)
    assert (made[0, :4] == 9).all() and not made[1].any() and (made[2, :, :3] == 200).all()


def test_epochs_of_the_link_are_the_columns(tiny: Path) -> None:
    app = run(epochs="25")
    app.multiselect(key="versus.epochs").set_value([0, 25]).run()
    assert not app.exception
    assert re.findall(r"After epoch (\d+)", html(app)) == ["0", "25"] * 2
