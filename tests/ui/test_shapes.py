"""Pages with models of other images than MNIST's: larger, and in colour."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.denoising import DenoisingAutoencoder, DenoisingSettings
from genlib.models.mixture import Mixture, MixtureSettings
from genlib.store import checkpoint
from genlib.ui.kit import loading
from genlib.ui.train import actions
from tests.conftest import Shelf
from tests.helpers import browse, html, visit

SHAPES = {"grey": (1, 32), "colour": (3, 32)}  # channels, side
FAMILIES = {
    "dae": (DenoisingAutoencoder, DenoisingSettings, {"latent_dim": 6}),
    "mixture": (Mixture, MixtureSettings, {"latent_dim": 3, "components": 2}),
}


@pytest.fixture
def others(shelf: Shelf, own_pictures: dict[str, str]) -> Path:
    """A denoising autoencoder and a mixture of grey pictures, and the same of coloured ones."""
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
    names = {"dae-digits": "dae", "ae-digits": "ae", "mixture-digits": "mixture"}
    ae = {"ae": (Autoencoder, AutoencoderSettings, {"latent_dim": 4})}
    known = FAMILIES | ae
    return shelf({name: known[k][0](known[k][1](**known[k][2])) for name, k in names.items()})


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
    assert app.multiselect(key="denoise.beside").options == ["ae-digits"]
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
