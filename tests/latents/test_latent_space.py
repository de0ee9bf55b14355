"""The Latent space page without a browser: every view, two kinds of model, bad links.

That it says what to do where there is no checkpoint is in tests/test_pages.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.vae import VAE, VAESettings
from genlib.store import checkpoint
from tests.helpers import ok, visit

VIEWS = [
    "Around here",
    "Between two digits",
    "Class arithmetic",
    "Manifold",
    "Generate",
    "Take away",
]


@pytest.fixture
def tiny(shelf: Callable[..., Path]) -> Path:
    """Two small untrained models in a folder of their own: plane (d=2) and wide (d=5)."""
    plane = VAE(VAESettings(latent_dim=2, hidden=(8,)))
    return shelf({"plane": plane, "wide": Autoencoder(AutoencoderSettings(latent_dim=5))})


def calm(app: AppTest) -> AppTest:
    assert not ok(app).error
    return app


def opened(**query: str) -> AppTest:
    return calm(visit("latents/latent_space.py", **query))


def text(app: AppTest) -> str:
    """All markdown, captions and notes of the page."""
    return " ".join(e.value for e in [*app.markdown, *app.caption, *app.info])


def now_at(app: AppTest) -> np.ndarray:
    """z of the link."""
    link = app.query_params["latent_space.z"]
    link = link[0] if isinstance(link, list) else link
    return np.array([float(v) for v in link.split(":")[1].split(",")])


@pytest.mark.parametrize("name", ["plane", "wide"])
def test_every_view(tiny: Path, name: str) -> None:
    app = opened()
    app.selectbox(key="latent_space.model").set_value(name)
    said = set()
    for view in VIEWS:
        app.segmented_control(key="latent_space.view").set_value(view)
        said.add(text(calm(app.run())))
    assert len(said) == len(VIEWS), "two views said the same"


def test_the_manifold_needs_two_latents_and_says_so(tiny: Path) -> None:
    app = opened()
    app.segmented_control(key="latent_space.view").set_value("Manifold")
    app.selectbox(key="latent_space.model").set_value("wide")
    assert "5 latents" in text(calm(app.run()))
    app.selectbox(key="latent_space.model").set_value("plane")
    assert "inverse normal" in text(calm(app.run()))


def test_the_manifold_offers_a_model_with_two_latents(shipped: Path) -> None:
    if not (shipped / "vae-2.safetensors").is_file():
        pytest.skip("vae-2 is not in checkpoints/")
    app = opened(**{"latent_space.view": "Manifold"})
    app.button(key="latent_space.open_plane").click()
    assert "inverse normal" in text(calm(app.run()))
    assert app.selectbox(key="latent_space.model").value == "vae-2"


def test_another_digit_moves_z_to_its_code(tiny: Path) -> None:
    app = opened()
    app.selectbox(key="latent_space.model").set_value("wide")
    before = now_at(calm(app.run()))
    app.number_input(key="latent_space.digit.nth").set_value(5)
    after = now_at(calm(app.run()))
    from genlib.ui.kit import loading

    data = loading.dataset()
    index = int((data.test_y == 3).nonzero().flatten()[5])
    model = checkpoint.load(tiny / "wide.safetensors")
    with torch.no_grad():
        code = model.embed(data.test_x[index : index + 1] / 255)[0].numpy()
    assert np.abs(after - code).max() <= 0.0051
    assert np.abs(after - before).max() > 0.0051


def test_a_link_with_z_wins_over_the_start(tiny: Path) -> None:
    assert now_at(opened(**{"latent_space.z": "plane:0.5,-1.25"})).tolist() == [0.5, -1.25]


@pytest.mark.parametrize(
    "query",
    [
        {"latent_space.z": "plane:1,2,3"},
        {"latent_space.z": "plane:one,two"},
        {"latent_space.z": "other:1,2"},
        {"latent_space.z": "plane:nan,inf"},
        {"latent_space.seed": "-7", "latent_space.draws": "x"},
        {"latent_space.between.t": "sideways"},
        {"latent_space.model": "gone", "latent_space.view": "nowhere"},
    ],
    ids=str,
)
def test_a_broken_link_opens_the_page_all_the_same(tiny: Path, query: dict[str, str]) -> None:
    assert np.isfinite(now_at(opened(**query))).all()


def test_a_decoder_too_large_for_the_browser_is_run_by_the_server(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genlib.ui.components import decoder_store

    monkeypatch.setattr(decoder_store, "BROWSER_MACS", 100)
    assert "Decoded on the server: 0 million multiply-adds" in text(opened())


def test_a_small_decoder_needs_no_server(tiny: Path) -> None:
    assert "Decoded on the server" not in text(opened())


def test_the_python_lines_make_the_picture(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    app = opened(**{"latent_space.z": "plane:0.5,-1.25"})
    app.segmented_control(key="latent_space.view").set_value("Take away")
    lines = calm(app.run()).code[0].value
    assert "0.5000, -1.2500" in lines
    scope: dict[str, object] = {}
    exec(lines.replace("plane.png", str(tmp_path / "plane.png")), scope)
    from PIL import Image

    shown = np.asarray(Image.open(tmp_path / "plane.png").convert("L")).astype(float)
    model = checkpoint.load(tiny / "plane.safetensors")
    with torch.no_grad():
        expected = model.decode(torch.tensor([[0.5, -1.25]]))[0, 0].numpy() * 255
    assert np.abs(shown - expected).max() <= 1
