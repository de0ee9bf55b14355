"""The page on RBM and DBN with models of other pictures than MNIST's: large, small, in colour."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from genlib.data.pictures import registry
from genlib.models import Model
from genlib.models.dbn import DBN, DBNSettings
from genlib.models.rbm import RBM, RBMSettings
from genlib.store import checkpoint
from genlib.ui.components import digit_picker
from tests.helpers import poll, sent, visit

app = partial(visit, "boltzmann/rbm.py", "rbm")


SHAPES = {"grey": (1, 32, 32), "colour": (3, 32, 32), "bars": (1, 4, 4), "dbn": (3, 32, 32)}


@pytest.fixture
def models(shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Untrained models: of a folder's pictures in grey and in colour, and of bars and stripes."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(10):
        Image.new("RGB", (32, 32), (25 * i, 200 - 20 * i, 90)).save(pictures / f"{i}.png")
    shelf({})
    grey, colour = (registry.register(pictures, 32, kind).name for kind in ("grey", "colour"))
    save(tmp_path, "grey", rbm("grey"), grey)
    save(tmp_path, "colour", rbm("colour"), colour)
    save(tmp_path, "bars", rbm("bars"), "bars")
    dbn = DBN(DBNSettings(channels=3, image_size=32, n_hidden=(8, 6), chains=4))
    save(tmp_path, "dbn", dbn, colour)


def rbm(name: str) -> RBM:
    channels, side, _ = SHAPES[name]
    return RBM(RBMSettings(channels=channels, image_size=side, n_hidden=8, chains=4))


def save(folder: Path, name: str, model: Model, dataset: str) -> None:
    file = folder / f"{name}.safetensors"
    checkpoint.save(file, model, dataset=dataset, seed=0, epoch=1)


def pixels(test: AppTest, field: str) -> NDArray[np.uint8]:
    """A field of bytes that the chain is given, in the shape of the picture."""
    (data,) = sent(test, "gibbs_chain")
    return np.frombuffer(base64.b64decode(data[field]), np.uint8).reshape(data["shape"])


def captions(test: AppTest) -> str:
    return " ".join(caption.value for caption in test.caption)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("model", list(SHAPES))
@pytest.mark.parametrize(
    ("hide", "rows", "columns"),
    [
        ("Lower half", (0.5, 1), (0, 1)),
        ("Upper half", (0, 0.5), (0, 1)),
        ("Right half", (0, 1), (0.5, 1)),
        ("Left half", (0, 1), (0, 0.5)),
    ],
)
def test_half_of_the_model_s_own_picture_is_hidden(
    model: str, hide: str, rows: tuple[float, float], columns: tuple[float, float]
) -> None:
    test = app(model=model, hide=hide)
    c, h, w = SHAPES[model]
    assert pixels(test, "digit").shape == (c, h, w)
    known = np.ones((c, h, w), bool)
    top, bottom, left, right = (
        *(round(h * share) for share in rows),
        *(round(w * share) for share in columns),
    )
    known[:, top:bottom, left:right] = False
    assert (pixels(test, "known") == known).all()
    assert ("three units" in captions(test)) == (c == 3)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(("model", "low", "high"), [("grey", 10, 22), ("bars", 1, 3)])
def test_the_middle_is_the_middle_third(model: str, low: int, high: int) -> None:
    test = app(model=model, hide="Middle")
    hidden = np.argwhere(pixels(test, "known")[0] == 0)
    assert hidden.min() == low and hidden.max() == high - 1
    assert len(hidden) == (high - low) ** 2


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("model", ["grey", "bars"])
def test_a_drawing_of_another_shape_is_no_start(
    monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setattr(digit_picker, "draw", lambda key, label: np.ones((28, 28), np.float32))
    test = app(**{"model": model, "digit.from": "Draw"})
    assert pixels(test, "digit").shape == SHAPES[model]
    assert test.button_group(key="rbm.digit.from").options == ["Test set"]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("model", list(SHAPES))
def test_weights_of_any_shape(model: str) -> None:
    assert "The 8 units of the first hidden layer" in captions(app(model=model, view="Weights"))


def test_pictures_that_no_longer_fit_the_model_are_said(
    shelf,  # type: ignore[no-untyped-def]
    tmp_path: Path,
) -> None:
    shelf({})
    save(tmp_path, "grey", rbm("grey"), "bars")
    test = app(model="grey")
    assert "images of another size or colour" in test.info[0].value
    assert not sent(test, "gibbs_chain")


def test_likelihood_without_its_pictures_says_so(shelf, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    shelf({})
    save(tmp_path, "grey", rbm("grey"), "folder:gone")
    test = app(view="Log-likelihood", model="grey", ais_chains="20", temperatures="200")
    test.button(key="rbm.go").click().run()
    poll(test, lambda: test.error)
    assert test.error[0].value.startswith("grey needs the pictures it was trained on")
    chain = app(model="grey")
    assert chain.info[0].value.startswith("grey needs the pictures it was trained on")
