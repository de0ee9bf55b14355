"""Names that users give: two underscores in a row, or the name of another model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st

from genlib.data.datasets import load
from genlib.models import FAMILIES
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.denoising import DenoisingAutoencoder, DenoisingSettings
from genlib.models.gan import MLPGAN, MLPGANSettings
from genlib.models.pixelcnn import PixelCNN, PixelCNNSettings
from genlib.models.rbm import RBM, RBMSettings
from genlib.models.vae import VAE, VAESettings
from genlib.store import checkpoint
from genlib.training import loop
from genlib.ui.kit import loading
from genlib.ui.train import actions
from tests.helpers import browse, ok, visit

MODEL = "latent_space.model"


@pytest.fixture
def underscored(shelf: Callable[..., Path]) -> Path:
    """One small model for each kind of page, all with names of the form my__kind."""
    models = {
        "my__vae": VAE(VAESettings(latent_dim=2, hidden=(8,))),
        "my__ae": Autoencoder(AutoencoderSettings(latent_dim=6)),
        "my__dae": DenoisingAutoencoder(DenoisingSettings(latent_dim=6)),
        "my__rbm": RBM(RBMSettings(n_hidden=8, chains=4)),
        "my__gan": MLPGAN(MLPGANSettings(latent_dim=4, hidden=(8,))),
        "my__pixels": PixelCNN(PixelCNNSettings(width=4, blocks=1)),
    }
    return shelf(models)


@pytest.mark.usefixtures("underscored")
@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("latents/latent_space.py", {}),
        ("latents/latent_space.py", {"latent_space.view": "Between two digits"}),
        ("latents/latent_space.py", {"latent_space.view": "Class arithmetic"}),
        ("latents/latent_space.py", {"latent_space.view": "Generate"}),
        ("latents/latent_map.py", {"map.by": "PCA", "map.points": "500"}),
        ("latents/reconstructions.py", {"reconstructions.show": "Kernels"}),
        ("energy/denoise.py", {}),
        ("energy/merged_digits.py", {}),
        ("boltzmann/rbm.py", {}),
        ("boltzmann/rbm.py", {"rbm.view": "Weights"}),
        ("adversarial/gan.py", {"gan.view": "Walk"}),
        ("autoregressive/pixelcnn.py", {}),
        ("side_by_side/one_digit.py", {}),
    ],
)
def test_a_name_with_two_underscores_works_on_every_page(page: str, query: dict[str, str]) -> None:
    visit(page, **query)


SMALL = {
    "pixelcnn": {"width": 4, "blocks": 1},
    "pixelrnn": {"width": 4},
    "mixture": {"latent_dim": 3, "components": 2},
    "pca": {"latent_dim": 3},
    "boltzmann": {},
    "vae": {"latent_dim": 2, "hidden": (8,)},
}


@pytest.mark.parametrize("family", list(SMALL))
def test_a_run_named_like_a_shipped_model_opens_on_every_page_that_shows_it(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path / "shipped"))
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    st.cache_data.clear()
    data = load("bars" if family == "boltzmann" else "digits")
    model = loop.build(family, SMALL[family], data, 0)
    name = "bars" if family == "boltzmann" else "mnist"
    for file in ("shipped/same.safetensors", "runs/same/model.safetensors"):
        checkpoint.save(tmp_path / file, model, name="same", dataset=name, seed=0, epoch=1)
    gan = MLPGAN(MLPGANSettings(latent_dim=4, hidden=(8,)))  # for the page of a GAN and a VAE
    checkpoint.save(tmp_path / "shipped/gan.safetensors", gan, dataset="mnist", seed=0, epoch=1)
    (info,) = (i for i in loading.checkpoints() if i.path.name == "model.safetensors")
    assert info.name == "same (your run)"
    found = actions.places(info)
    assert found, f"no page shows a {family}"
    for page, parameter in found:
        app = visit(page.file, **actions.query(page, parameter, info))
        if parameter:
            widgets = [*app.selectbox, *app.multiselect]
            (value,) = (w.value for w in widgets if w.key == parameter)
            assert value in (info.name, [info.name]), page.file


def test_a_link_from_before_a_renaming_opens_the_renamed_model(
    tmp_path: Path, shelf: Callable[..., Path]
) -> None:
    """Its page may be left before it has drawn the new name."""
    shelf({"first": Autoencoder(AutoencoderSettings(latent_dim=6))})
    run = tmp_path / "runs/ae-2/model.safetensors"
    for name, now in (("ae-2", "ae-2 (your run)"), ("mine", "mine (your run ae-2)")):
        model = Autoencoder(AutoencoderSettings(latent_dim=6))
        checkpoint.save(run, model, name=name, dataset="mnist", seed=0, epoch=1)
        st.cache_data.clear()
        for old in ("ae-2 (your run)", "best (your run ae-2)", now):
            assert loading.current_name(old) == now
            several = browse("latents/reconstructions.py", **{"reconstructions.models": old})
            assert several.multiselect(key="reconstructions.models").value == [now]
            single = browse("latents/latent_space.py", **{"latent_space.model": old})
            assert single.selectbox(key="latent_space.model").value == now
    for other in ("first", "ae-2", "ae-3 (your run)", "x (your run ae-3)", "ae-2 (upload)", ""):
        assert loading.current_name(other) == other


def test_a_page_that_is_open_keeps_a_model_that_is_renamed_meanwhile(
    tmp_path: Path, shelf: Callable[..., Path]
) -> None:
    shelf({"first": Autoencoder(AutoencoderSettings(latent_dim=6))})
    run = tmp_path / "runs/ae-2/model.safetensors"

    def named(name: str) -> str:
        model = Autoencoder(AutoencoderSettings(latent_dim=6))
        checkpoint.save(run, model, name=name, dataset="mnist", seed=0, epoch=1)
        st.cache_data.clear()
        return "ae-2 (your run)" if name == "ae-2" else f"{name} (your run ae-2)"

    for page, key in (("reconstructions", "reconstructions.models"), ("latent_space", MODEL)):
        app = browse(f"latents/{page}.py", **{key: named("ae-2")})
        now = named("mine")
        for _ in range(2):
            widgets = [*ok(app.run()).selectbox, *app.multiselect]
            (value,) = (w.value for w in widgets if w.key == key)
            assert value in (now, [now]), page


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("shape", [(1, 28), (3, 32), (1, 64)])
def test_no_model_is_without_a_page(family: str, shape: tuple[int, int], tmp_path: Path) -> None:
    config = {"channels": shape[0], "image_size": shape[1]}
    info = checkpoint.Info("one", tmp_path / "one.safetensors", family, config, "mnist", 0, 1)
    assert actions.places(info)
