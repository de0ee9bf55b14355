"""The page of PCA and mixtures: exact axes, a live linear autoencoder, mixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch

from genlib import background
from genlib.data import datasets
from genlib.explore import pca
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.mixture import Mixture, MixtureSettings
from genlib.ui.kit import loading
from genlib.ui.side_by_side.pca import data, view
from tests.helpers import ok, until, visit

VIEW = "pca.view"


@pytest.fixture
def few(shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Few digits, few steps, and a shelf with a mixture and a one-layer autoencoder."""
    digits = datasets.load("digits")
    monkeypatch.setattr("genlib.ui.kit.loading.dataset", lambda name="mnist": digits)
    monkeypatch.setattr(data, "STEPS", 40)
    monkeypatch.setattr(data, "FIT_IMAGES", 400)
    monkeypatch.setattr(data, "FIT_EPOCHS", 2)
    monkeypatch.setattr(data, "FIT_AXES", 6)
    mixture = Mixture(MixtureSettings(components=3, latent_dim=4, warm_up=100)).eval()
    x = datasets.to_float(digits.train_x[:100])
    for _ in range(4):
        mixture.step(x, x)
    ae = Autoencoder(AutoencoderSettings(latent_dim=3))
    st.cache_resource.clear()
    yield shelf({"mixture-tiny": mixture, "ae-tiny": ae})
    st.cache_resource.clear()


def finished(name: str) -> background.Job:
    job = background.find(name)
    assert job is not None
    until(lambda: not job.busy)
    return job


def test_the_page_trains_fits_and_shows(few: Path) -> None:
    app = visit("side_by_side/pca.py", "pca", view="Linear autoencoder")
    assert "ae-tiny" in "".join(m.value for m in app.markdown)
    ok(app.button(key="pca.train").click().run())
    job = finished(data.autoencoder_job("digits", 6, 0))
    assert job.state == "done" and job.result[-1].step == 40
    ok(app.run())
    assert any("Step 40: error" in m.value for m in app.markdown)
    ok(app.button_group(key="pca.view").set_value("mixture").run())
    ok(app.selectbox(key="pca.mixture").set_value("Fit here").run())
    assert "Press Fit" in "".join(i.value for i in app.info)
    ok(app.button(key="pca.fit").click().run())
    fit = finished(data.mixture_job("digits", 10)).result
    assert fit.nll[-1] < fit.nll[0], "ten Gaussians explain test digits better than one"
    ok(app.run())
    assert any("one Gaussian" in m.value for m in app.markdown)


def test_a_link_without_a_view_opens_the_view_of_its_settings(few: Path) -> None:
    def opened(**settings: str) -> str:
        return str(visit("side_by_side/pca.py", "pca", **settings).button_group(key=VIEW).value)

    assert opened() == "axes"
    assert opened(mixture="Fit here") == "mixture" and opened(units="3") == "linear"
    assert opened(mixture="Fit here", view="Linear autoencoder") == "linear"


@pytest.mark.usefixtures("shipped")
def test_most_gaussians_of_the_shipped_mixture_take_one_kind_of_digit() -> None:
    model = loading.model(next(i for i in loading.checkpoints() if i.name == "mixture-50"))
    digits = datasets.load("mnist")
    x = datasets.to_float(digits.test_x[:2000])
    with torch.no_grad():
        taken = torch.cat([model.responsibilities(part) for part in x.split(500)]).argmax(1)
    shown = view.heaviest(model)
    shares = []
    for k in shown:
        labels = digits.test_y[:2000][taken == k]
        shares.append(float(labels.bincount().max() / len(labels)))
    assert np.mean(np.array(shares) > 0.75) > 0.5, shares


def test_angles_between_known_subspaces() -> None:
    one = np.eye(5)[:, :2]
    turned = one.copy()
    turned[:, 1] = [0, np.cos(0.3), np.sin(0.3), 0, 0]
    assert pca.principal_angles(one, turned) == pytest.approx([0, np.degrees(0.3)], abs=1e-5)
    mixed = one @ np.array([[1.0, 2.0], [0.5, -1.0]])  # another basis of the same subspace
    assert pca.principal_angles(one, mixed) == pytest.approx([0, 0], abs=1e-5)
    assert pca.principal_angles(one, np.eye(5)[:, 3:]) == pytest.approx([90, 90])
    assert pca.principal_angles(one, np.eye(5)[:, :4]) == pytest.approx([0, 0], abs=1e-5)


def test_components_are_exact_and_a_linear_autoencoder_finds_them() -> None:
    rng = torch.Generator().manual_seed(0)
    spread = torch.tensor([40.0, 25.0, 12.0, 3, 3, 3, 3, 3, 3])
    turn = torch.linalg.qr(torch.randn(9, 9, generator=rng))[0]
    flat = (128 + torch.randn(2000, 9, generator=rng) * spread @ turn.t()).clamp(0, 255)
    x = flat.to(torch.uint8).view(-1, 1, 3, 3)
    found = pca.components(x)
    real = x.flatten(1).double().numpy() / 255
    assert found.covariance() == pytest.approx(np.cov(real.T, bias=True), abs=1e-5)
    assert found.explained[-1] == pytest.approx(1) and (np.diff(found.explained) >= 0).all()
    moments = list(pca.train_linear(found, 3, 600, every=50, lr=1e-2))
    assert moments[-1].angles.max() < 2 < moments[0].angles.max()
    assert moments[-1].loss == pytest.approx(found.variances[3:].sum(), rel=0.1)
    assert all(m.loss >= found.variances[3:].sum() * 0.999 for m in moments)
    encoder_free = pca.nearest_in(moments[-1].decoder, found.axes[:3])
    assert encoder_free == pytest.approx(found.axes[:3], abs=0.05)


def test_the_page_s_model_is_exact_pca() -> None:
    st.cache_resource.clear()
    found = pca.components(datasets.load("digits").train_x)
    from genlib.models.pca import PCA, PCASettings

    model = PCA(PCASettings(latent_dim=5)).requires_grad_(False)
    data.fill(model, found)
    assert model.axes().numpy() == pytest.approx(found.axes[:5], abs=1e-4)
    assert model.variances().numpy() == pytest.approx(found.variances[:5], rel=1e-3)
