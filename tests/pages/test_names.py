"""Names that users give: two underscores in a row, or the name of another model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.denoising import DenoisingAutoencoder, DenoisingSettings
from genlib.models.gan import MLPGAN, MLPGANSettings
from genlib.models.pixelcnn import PixelCNN, PixelCNNSettings
from genlib.models.rbm import RBM, RBMSettings
from genlib.models.vae import VAE, VAESettings

PAGES = Path(__file__).parents[2] / "pages"


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
        ("together/one_digit.py", {}),
    ],
)
def test_a_name_with_two_underscores_works_on_every_page(page: str, query: dict[str, str]) -> None:
    app = AppTest.from_file(str(PAGES / page), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, [box.message for box in app.exception]
