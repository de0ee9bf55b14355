"""Reconstructions and kernels: with the shipped models, with tiny ones, with none."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from genlib.data.datasets import find_mnist
from genlib.data.pictures import registry
from genlib.models import Model
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.rbm import RBM, RBMSettings
from genlib.models.vae import ConvVAE, ConvVAESettings
from genlib.store import checkpoint
from genlib.ui.kit.evidence import named
from genlib.ui.latents import reconstructions
from tests.helpers import html, visit

run = partial(visit, "latents/reconstructions.py", "reconstructions")


@pytest.fixture
def tiny(shelf: Callable[..., Path]) -> Path:
    """Three small models: latent 2 and 6, of which unit 4 is dead, and one without kernels."""
    dead = Autoencoder(AutoencoderSettings(latent_dim=6))
    with torch.no_grad():
        dead.encoder[0].bias[4] = 50.0
    models = {
        "ae-2": Autoencoder(AutoencoderSettings(latent_dim=2)),
        "ae-6": dead,
        "conv": ConvVAE(ConvVAESettings(latent_dim=3, width=2)),
    }
    return shelf(models)


def dead_counts(app: AppTest) -> list[tuple[int, int]]:
    text = "\n".join(m.value for m in app.markdown)
    return [(int(a), int(b)) for a, b in re.findall(r"\[(\d+) of (\d+) marked\]", text)]


def choose(app: AppTest, key: str, *names: str) -> AppTest:
    """Set a model list; its options carry the model's title behind its name."""
    widget = app.multiselect(key=f"reconstructions.{key}")
    widget.set_value(list(names)).run()
    assert not app.exception, app.exception[0].message
    return app


def test_a_row_of_outputs_and_differences_per_model(tiny: Path) -> None:
    app = choose(run(), "models", "ae-2", "ae-6", "conv")
    assert html(app).count("data:image/png;base64,") == 10 + 3 * 2 * 10
    app.toggle(key="reconstructions.difference").set_value(False).run()
    assert html(app).count("data:image/png;base64,") == 10 + 3 * 10


def test_models_are_compared_by_latents_with_standard_errors(tiny: Path) -> None:
    app = choose(run(), "models", "ae-6", "ae-2", "conv")
    table = app.dataframe[0].value
    assert table["latents"].tolist() == [2, 3, 6]
    assert all(re.fullmatch(r"0\.\d{5} ± 0\.\d{5}", text) for text in table["test MSE"])


def test_other_digits_and_one_class(tiny: Path) -> None:
    app = run()
    before = html(app)
    next(button for button in app.button if button.label == "Other digits").click().run()
    assert app.query_params["reconstructions.digits"] == "1"
    assert html(app) != before
    sevens = run(**{"class": "7"})
    assert html(sevens) != before


def test_the_dead_unit_is_counted_and_the_live_ones_are_not(tiny: Path) -> None:
    app = choose(run(show="Kernels"), "kernels", "ae-2", "ae-6")
    assert dead_counts(app) == [(0, 2), (1, 6)]


def test_threshold_and_criterion_come_from_the_link(tiny: Path) -> None:
    app = run(show="Kernels", **{"threshold.silent": "0"})
    assert dead_counts(choose(app, "kernels", "ae-6")) == [(0, 6)]
    noise = run(show="Kernels", criterion="Noise-like")
    # Untrained kernels are noise, all of them.
    assert dead_counts(choose(noise, "kernels", "ae-6")) == [(6, 6)]


def test_one_unit_is_shown_and_a_number_too_large_is_brought_back(tiny: Path) -> None:
    app = choose(run(show="Kernels"), "kernels", "ae-6")
    app.number_input(key="reconstructions.unit").set_value(4).run()
    assert not app.exception
    assert any("standard deviation 0.000" in c.value for c in app.caption)
    choose(app, "kernels", "ae-2")
    assert app.number_input(key="reconstructions.unit").value == 1


def selected(app: AppTest) -> list[int]:
    """The unit that is framed in each model's grid, -1 for none."""
    found = [element.proto for element in app.get("bidi_component")]
    grids = [p for p in found if p.component_name == "genlib.kernel_grid"]
    return [int(re.findall(rb'"selected": ?(-?\d+)', p.bytes)[0]) for p in grids]


def test_the_unit_of_a_link_is_framed_at_once_in_the_model_of_the_link(tiny: Path) -> None:
    app = run(show="Kernels", kernels=["ae-2", "ae-6"], of="ae-6", unit="4")
    assert any("deviation 0.000" in c.value for c in app.caption), "the zoom shows the dead unit"
    assert selected(app) == [-1, 4]


def test_pictures_without_a_constant_border(shelf: Callable[..., Path], tmp_path: Path) -> None:
    """Bars and stripes, and colour pictures of three classes, one of which has one test picture."""
    pictures = tmp_path / "pictures"
    draw = np.random.default_rng(0)
    for name, many in (("a", 30), ("b", 30), ("c", 3)):
        (pictures / name).mkdir(parents=True)
        for i in range(many):
            pixels = draw.integers(0, 256, (28, 28, 3), np.uint8)
            Image.fromarray(pixels).save(pictures / name / f"{i}.png")
    shelf({})
    models: dict[str, tuple[Model, str]] = {
        "rbm-bars": (RBM(RBMSettings(image_size=4, n_hidden=6, chains=4)), "bars"),
        "ae-colour": (
            Autoencoder(AutoencoderSettings(channels=3, image_size=28, latent_dim=5)),
            registry.register(pictures, 28, "colour").name,
        ),
    }
    for name, (model, dataset) in models.items():
        checkpoint.save(tmp_path / f"{name}.safetensors", model, dataset=dataset, seed=0, epoch=1)
        app = run(show="Kernels", kernels=name)
        text = "\n".join(m.value for m in app.markdown)
        assert "marked]" in text and "badge[border noise" not in text and "nan" not in text
    y = reconstructions.data_of(named("ae-colour")).test_y
    assert (y.bincount(minlength=3) < 2).any()


def test_shipped_models_show_the_lesson(shipped: Path) -> None:
    names = [n for n in ("ae-30", "dae-500") if (shipped / f"{n}.safetensors").exists()]
    if len(names) < 2 or not find_mnist():
        pytest.skip("ae-30, dae-500 or MNIST is not here")
    st.cache_data.clear()
    app = choose(run(show="Kernels"), "kernels", *names)
    text = "\n".join(m.value for m in app.markdown)
    ae, dae = (float(v) for v in re.findall(r"border noise ([\d.]+)", text))
    assert ae > 1 > 0.5 > dae
