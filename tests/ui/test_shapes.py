"""Pages with models of other images than MNIST's: larger, and in colour."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.denoising import DenoisingAutoencoder, DenoisingSettings
from genlib.models.mixture import Mixture, MixtureSettings
from genlib.models.vae import VAE, VAESettings
from genlib.store import checkpoint
from genlib.ui.kit import loading
from genlib.ui.train import actions
from tests.conftest import Shelf
from tests.helpers import ROOT, SECONDS, browse, html, ok, visit

SHAPES = {"grey": (1, 32), "colour": (3, 32)}  # channels, side
FAMILIES = {
    "dae": (DenoisingAutoencoder, DenoisingSettings, {"latent_dim": 6}),
    "vae": (VAE, VAESettings, {"latent_dim": 2, "hidden": (8,)}),
    "mixture": (Mixture, MixtureSettings, {"latent_dim": 3, "components": 2}),
}


@pytest.fixture
def others(shelf: Shelf, own_pictures: dict[str, str]) -> Path:
    """One model of each family for grey pictures, and the same for coloured ones."""
    for colour, (channels, side) in SHAPES.items():
        models = {
            f"{name}-{colour}": family(settings(channels=channels, image_size=side, **own))
            for name, (family, settings, own) in FAMILIES.items()
        }
        folder = shelf(models, own_pictures[colour])
    return folder


@pytest.fixture
def among_digits(others: Path, shelf: Shelf) -> Path:
    """The same models with one of each kind for digits."""
    models = {
        f"{name}-digits": family(settings(**own))
        for name, (family, settings, own) in FAMILIES.items()
    }
    return shelf({**models, "ae-digits": Autoencoder(AutoencoderSettings(latent_dim=4))})


denoise = partial(visit, "energy/denoise.py", "denoise")
reconstructions = partial(visit, "latents/reconstructions.py", "reconstructions")


@pytest.mark.usefixtures("others")
def test_denoise_without_a_model_of_digits_says_so() -> None:
    app = browse("energy/denoise.py", "denoise", model="dae-colour")
    assert app.info[0].value == (
        "No checkpoint can denoise images of this size and colour yet. "
        "Train a model on the Train page."
    )


@pytest.mark.usefixtures("among_digits")
@pytest.mark.parametrize("model", ["dae-grey", "dae-colour"])
def test_denoise_takes_models_of_digits_only(model: str) -> None:
    app = denoise(model=model, beside=model)
    assert app.selectbox(key="denoise.model").options == ["dae-digits"]
    assert app.multiselect(key="denoise.beside").options == ["ae-digits", "vae-digits"]
    assert "<figcaption>dae-digits" in html(app)


@pytest.mark.usefixtures("others")
def test_no_page_of_digits_is_offered_for_other_pictures() -> None:
    for info in loading.checkpoints():
        offered = {page.stem for page, _ in actions.places(info)}
        assert offered, info.name
        assert not offered & {"denoise", "merged_digits", "one_digit", "pca"}, info.name


def warned(app: AppTest) -> list[str]:
    return [warning.value.split(" ")[0] for warning in app.warning]


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    ("first", "second"), [("dae-colour", "dae-grey"), ("dae-grey", "dae-colour")]
)
def test_reconstructions_are_of_the_first_model_s_pictures(first: str, second: str) -> None:
    app = reconstructions()
    app.multiselect(key="reconstructions.models").set_value([first, second]).run()
    assert not app.exception
    assert warned(app) == [second]
    assert app.dataframe[0].value["model"].tolist() == [first]
    assert html(app).count("data:image/png;base64,") == 2 * 3  # input, output, difference


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("model", ["dae-grey", "dae-colour"])
def test_kernels_of_any_pictures(model: str) -> None:
    app = reconstructions(show="Kernels", kernels=model)
    assert not app.warning


@pytest.mark.usefixtures("among_digits")
@pytest.mark.parametrize("mixture", ["mixture-grey", "mixture-colour"])
def test_the_page_of_mixtures_takes_those_of_digits_only(mixture: str) -> None:
    app = visit("side_by_side/pca.py", "pca", view="Mixture", mixture=mixture)
    assert app.selectbox(key="pca.mixture").options == ["mixture-digits", "Fit here"]


def test_a_mixture_of_coloured_digits_is_none_of_digits(shelf: Shelf) -> None:
    settings = MixtureSettings(channels=3, image_size=28, latent_dim=3, components=2)
    shelf({"coloured": Mixture(settings)})
    app = visit("side_by_side/pca.py", "pca", view="Mixture", mixture="coloured")
    assert app.selectbox(key="pca.mixture").options == ["Fit here"]


@pytest.mark.parametrize(
    ("shape", "takes"), [((1, 28, 28), True), ((3, 28, 28), False), ((1, 32, 32), False)]
)
def test_a_model_takes_images_of_its_own_shape(
    shelf: Shelf, shape: tuple[int, int, int], takes: bool
) -> None:
    folder = shelf({"one": Autoencoder(AutoencoderSettings(latent_dim=4))})
    assert loading.takes(checkpoint.peek(folder / "one.safetensors"), shape) is takes


STROKES = {"seq": 1, "strokes": [{"w": 90, "p": [300, 300, 700, 700]}]}


def drawn(view: str, model: str) -> AppTest:
    """The Latent space page of a person who has drawn every digit that it asks for."""
    app = AppTest.from_file(ROOT / "pages/latents/latent_space.py", default_timeout=SECONDS)
    for name in ("digit", "a", "b"):
        app.session_state[f"latent_space.{name}.draw:strokes"] = STROKES
        app.query_params[f"latent_space.{name}.from"] = "Draw"
    app.query_params |= {"latent_space.view": view, "latent_space.model": model}
    return ok(app.run())


@pytest.mark.usefixtures("among_digits")
@pytest.mark.parametrize("view", ["Around here", "Between two digits"])
@pytest.mark.parametrize("model", ["vae-grey", "vae-colour"])
def test_a_drawing_is_given_to_models_of_such_images_only(view: str, model: str) -> None:
    app = drawn(view, "vae-digits")
    ways = [control for control in app.button_group if control.key.endswith(".from")]
    assert [way.value for way in ways] == ["draw"] * len(ways)
    ok(app.selectbox(key="latent_space.model").set_value(model).run())
    ways = [control for control in app.button_group if control.key.endswith(".from")]
    assert len(ways) == (1 if view == "Around here" else 3)
    for way in ways:
        assert (way.options, way.value, way.disabled) == (["Test set"], "test", True)
        assert "Drawings are grey and have 28×28 pixels" in way.help
    ok(drawn(view, model))
    ok(app.selectbox(key="latent_space.model").set_value("vae-digits").run())
    assert not any(c.disabled for c in app.button_group if c.key.endswith(".from"))
