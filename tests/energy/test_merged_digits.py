"""The page of merged digits: with shipped models, with a tiny one, with none."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from genlib.data.datasets import find_mnist
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.vae import VAE, VAESettings
from genlib.ui.energy import merged_digits
from tests.helpers import sent, visit

run = partial(visit, "energy/merged_digits.py", "merged")


@pytest.fixture
def tiny(shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two small models, and fewer digits behind the histograms."""
    monkeypatch.setattr(merged_digits, "N", 300)
    models = {
        "ae-tiny": Autoencoder(AutoencoderSettings(latent_dim=4)),
        "vae-tiny": VAE(VAESettings(latent_dim=2, hidden=(8,))),
    }
    return shelf(models)


def theatre(app: AppTest) -> dict:
    """What the browser's part is given."""
    return sent(app, "merged_digits")[0]


def frames(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 28, 28).astype(int)


def test_every_alpha_is_sent_for_every_model(tiny: Path) -> None:
    app = run()
    app.multiselect(key="merged.models").set_value(["ae-tiny", "vae-tiny"]).run()
    assert not app.exception
    sent = theatre(app)
    assert [len(sent["alpha"]), sent["alpha"][0], sent["alpha"][-1]] == [101, 0, 1]
    merges = frames(sent["merges"])
    assert np.abs(merges[50] - (merges[0] + merges[100]) / 2).max() <= 1
    assert [card["title"] for card in sent["cards"]] == ["ae-tiny", "vae-tiny"]
    for card in sent["cards"]:
        assert len(card["energy"]) == len(card["verdict"]) == len(card["mood"]) == 101
        assert frames(card["x_hat"]).shape == (101, 28, 28)
        assert sum(card["histogram"]["real"]) == sum(card["histogram"]["merged"]) == 300


def test_energy_on_the_card_is_that_of_the_pictures_beside_it(tiny: Path) -> None:
    sent = theatre(run())
    merges, card = frames(sent["merges"]) / 255, sent["cards"][0]
    errors = ((merges - frames(card["x_hat"]) / 255) ** 2).sum((1, 2))
    assert np.abs(errors - card["energy"]).max() < 0.02 * max(card["energy"])


def test_the_link_places_the_slider_and_nonsense_does_no_harm(tiny: Path) -> None:
    assert theatre(run(alpha="0.3"))["value"] == 0.3
    assert theatre(run(alpha="7"))["value"] == 1.0
    assert theatre(run(alpha="<b>"))["value"] == 0.5
    assert theatre(run(alpha="nan"))["value"] == 0.5


def test_max_has_one_frame_and_says_why_nothing_slides(tiny: Path) -> None:
    app = run()
    app.segmented_control(key="merged.how").set_value("Max").run()
    assert not app.exception
    sent = theatre(app)
    assert len(sent["alpha"]) == 1
    assert "no α" in sent["fixed"]


def test_each_energy_has_its_own_numbers_and_unit(tiny: Path) -> None:
    app, seen = run(), []
    for choice in ("Squared error", "Contrast-invariant", "Own"):
        app.segmented_control(key="merged.energy").set_value(choice).run()
        assert not app.exception
        card = theatre(app)["cards"][0]
        seen.append((card["unit"], tuple(card["energy"])))
    assert len({unit for unit, _ in seen}) == 3
    assert seen[0][1] != seen[1][1]


def test_other_digits_give_another_merge(tiny: Path) -> None:
    app = run()
    before = theatre(app)["merges"]
    app.selectbox(key="merged.a.class").set_value(0).run()
    assert not app.exception
    assert theatre(app)["merges"] != before
    assert theatre(app)["names"][0] == "a: 0"


@pytest.mark.parametrize(
    ("share", "other", "words", "mood"),
    [
        (0.0, 0.5, "Hardly any real digit has", "caught"),
        (0.04, 0.5, "4% of real digits have more energy than this merge", "caught"),
        (0.1, 0.5, "suspicious", "doubt"),
        (0.6, 0.2, "passes for a digit", "pass"),
        (0.6, 0.0, "nothing unusual", ""),
        (0.01, 0.0, "this digit: unusual", ""),
        (0.6, 0.12, "still a digit", ""),
        (0.01, 0.12, "unusual: it is still a digit", ""),
    ],
)
def test_verdict_says_what_the_share_means(
    share: float, other: float, words: str, mood: str
) -> None:
    said, felt = merged_digits.verdict(share, other)
    assert words in said
    assert felt == mood


def test_histogram_counts_everything_once() -> None:
    real, merged = np.linspace(0, 10, 50), np.linspace(5, 100, 30)
    counts = merged_digits.histogram(real, merged)
    assert (sum(counts.real), sum(counts.merged)) == (50, 30)
    assert merged_digits.histogram(np.ones(3), np.ones(4)).high > 1


def test_an_empty_canvas_shows_no_results_for_another_digit(tiny: Path) -> None:
    for letter in "ab":
        app = run(**{f"{letter}.from": "Draw"})
        assert not app.exception
        assert not sent(app, "merged_digits")
        assert "Draw a digit" in app.info[0].value


@pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")
def test_what_the_page_promises_of_the_pair_that_it_opens(shipped: Path) -> None:
    """The denoising autoencoder's curve leaves the band in the middle, ae-30's stays in it."""
    st.cache_data.clear()
    needed = {"ae-30", "dae-500"}
    if not needed <= {path.stem for path in shipped.glob("*.safetensors")}:
        pytest.skip("ae-30 or dae-500 is not shipped")
    shown = theatre(run())
    assert shown["names"] == ["a: 3", "b: 8"]  # Home: half a 3 and half an 8
    cards = {card["title"]: card for card in shown["cards"]}
    assert cards["dae-500"]["energy"][50] > cards["dae-500"]["band"][2]
    assert max(cards["ae-30"]["energy"]) <= cards["ae-30"]["band"][2]
    assert cards["ae-30"]["mood"][50] == "pass"
    for card in shown["cards"]:  # nearly a 3, and nearly an 8
        assert not card["mood"][12] and not card["mood"][88]
        assert "still a digit" in card["verdict"][12]


@pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")
def test_the_lesson_the_dae_notices_and_the_autoencoder_does_not(shipped: Path) -> None:
    st.cache_data.clear()
    needed = {"ae-30", "dae-500"}
    if not needed <= {path.stem for path in shipped.glob("*.safetensors")}:
        pytest.skip("ae-30 or dae-500 is not shipped")
    cards = {card["title"]: card for card in theatre(run())["cards"]}
    assert cards["dae-500"]["mood"][50] == "caught"
    middle, ends = cards["dae-500"]["energy"][50], cards["dae-500"]["energy"][::100]
    assert middle > 2 * max(ends)
    assert cards["ae-30"]["mood"][50] != "caught"
