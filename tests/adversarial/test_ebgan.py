"""The page of the energy-based GAN: energies, one image, epochs; with a small model and without."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from genlib.data.datasets import find_mnist
from genlib.models.ebgan import EBGAN, EBGANSettings
from genlib.store import checkpoint
from genlib.ui.adversarial.gan import data
from tests.helpers import visit

run = partial(visit, "adversarial/ebgan.py", "ebgan")


@pytest.fixture
def tiny(shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small energy-based GAN of epochs 0 and 2."""
    monkeypatch.setattr(data, "N", 50)
    folder = shelf({})
    model = EBGAN(EBGANSettings(latent_dim=4, hidden=(8,), cost_hidden=(8,), margin=7.0))
    (folder / "ebgan.snapshots").mkdir()
    history = [{"epoch": e, "step": e, "train/c_x": 3.0, "train/c_gz": 6.0} for e in (1, 2)]
    kept = {0: folder / "ebgan.snapshots/epoch-0000.safetensors", 2: folder / "ebgan.safetensors"}
    for epoch, file in kept.items():
        checkpoint.save(
            file,
            model,
            name="ebgan",
            dataset="mnist",
            seed=0,
            epoch=epoch,
            history=history[:epoch],
        )
    return folder


def energy(app: AppTest) -> float:
    html = "\n".join(element.proto.body for element in app.get("html"))
    return float(re.findall(r"C = ([\d.]+)", html)[0])


def test_the_energy_shown_is_the_error_of_the_reconstruction(tiny: Path) -> None:
    model = checkpoint.load(tiny / "ebgan.safetensors")
    assert isinstance(model, EBGAN)
    app = run()
    app.segmented_control(key="ebgan.image.image").set_value("Noise").run()
    assert not app.exception
    import torch

    x = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    expected = float((model.rebuild(x) - x).square().sum())
    assert energy(app) == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("way", ["Test or drawn", "Generated", "Merged", "Noise"])
def test_every_kind_of_image_has_its_energy(tiny: Path, way: str) -> None:
    app = run()
    app.segmented_control(key="ebgan.image.image").set_value(way).run()
    assert not app.exception
    assert energy(app) > 0


def test_the_training_view_names_the_margin_and_every_epoch(tiny: Path) -> None:
    app = run(view="Training", epoch="0")
    assert app.select_slider(key="ebgan.epoch").value == 0
    assert any("margin is 7" in c.value for c in app.caption)
    table = app.dataframe[0].value
    assert table["epoch"].tolist() == [0, 2]
    assert set(data.GROUPS) <= set(table.columns)


def test_new_z_changes_the_samples(tiny: Path) -> None:
    app = run(view="Training")
    before = [image.url for e in app.get("image") for image in e.proto.imgs]
    app.button(key="ebgan.new").click().run()
    assert not app.exception
    after = [image.url for e in app.get("image") for image in e.proto.imgs]
    assert len(after) == len(before) == 1 and after != before


def test_an_empty_canvas_shows_no_results_for_another_digit(tiny: Path) -> None:
    app = run(**{"image.digit.from": "Draw"})
    assert not app.exception
    assert "Draw a digit" in app.info[0].value
    assert not app.get("html")


@pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")
def test_after_one_epoch_the_judge_rebuilds_samples_better_than_digits(shipped: Path) -> None:
    """What the page asks to look for at epoch 1 of the shipped model, which it opens."""
    if not (shipped / "ebgan.safetensors").exists():
        pytest.skip("ebgan is not shipped")
    st.cache_data.clear()
    app = run(epoch="1")
    assert app.select_slider(key="ebgan.epoch").value == 1
    said = " ".join(c.value for c in app.caption)
    medians = {g: float(re.findall(rf"{g.lower()} ([\d.]+)", said)[0]) for g in data.GROUPS}
    assert medians["Generated"] < medians["Test images"]


def test_noise_does_not_squash_the_digits(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scores(path: Path, kind: str, group: str) -> np.ndarray:
        return np.linspace(1, 20, 50) + (500 if group == "Noise" else 0)

    monkeypatch.setattr(data, "group_scores", scores)
    figure = json.loads(run().get("plotly_chart")[0].proto.spec)
    assert [bars["name"] for bars in figure["data"]] == list(data.GROUPS)
    layout = figure["layout"]
    assert layout["xaxis"]["range"][1] < 500 and layout["yaxis"]["range"][1] < 0.5
