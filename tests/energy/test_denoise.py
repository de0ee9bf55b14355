"""The Denoise page: with the shipped models, with a tiny one, with none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from genlib.data.datasets import find_mnist
from genlib.explore import inpainting
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.denoising import DenoisingAutoencoder, DenoisingSettings
from genlib.ui.components import history
from genlib.ui.energy import denoise
from genlib.ui.kit import loading
from tests.helpers import browse, html, ok, sent, turn_to, visit

run = partial(visit, "energy/denoise.py", "denoise")


@pytest.fixture
def tiny(shelf: Callable[..., Path]) -> Path:
    """A folder of checkpoints with two small models."""
    models = {
        "dae-tiny": DenoisingAutoencoder(DenoisingSettings(latent_dim=12)),
        "ae-tiny": Autoencoder(AutoencoderSettings(latent_dim=4)),
    }
    return shelf(models)


def numbers(app: AppTest) -> list[str]:
    return re.findall(r'class="number">([^<]*)', html(app))


def test_tiny_models_draw_every_picture(tiny: Path) -> None:
    app = run()
    page = html(app)
    for name in ("Clean", "Corrupted", "dae-tiny", "Telea", "Navier–Stokes", "Median 3 × 3"):
        assert f"<figcaption>{name}" in page
    assert "★ best" in page
    assert page.count("data:image/png;base64,") == 6 + 6 * 10
    assert len(app.get("plotly_chart")) == 1


def test_kind_and_strength_change_the_errors(tiny: Path) -> None:
    weak, strong = run(strength="0.1"), run(strength="0.8")
    assert float(numbers(weak)[1]) < float(numbers(strong)[1])
    block = run(kind="Blanked block", strength="0.8")
    assert block.selectbox(key="denoise.kind").value == "Blanked block"
    assert numbers(block) != numbers(strong)


def test_no_damage_no_repair_wins(tiny: Path) -> None:
    app = run(strength="0")
    assert float(numbers(app)[1]) == 0
    assert any("Nothing beats leaving" in m.value for m in app.markdown)


def test_gaussian_noise_leaves_inpainting_out(tiny: Path) -> None:
    app = run(kind="Gaussian noise", strength="0.3")
    assert html(app).count("Needs good pixels") == 2
    assert "–" in numbers(app)


def test_new_noise_changes_the_damage_and_stays_in_the_link(tiny: Path) -> None:
    app = run()
    before = numbers(app)
    app.button(key="denoise.again").click().run()
    assert not app.exception
    assert app.query_params["denoise.noise"] == "1"
    assert numbers(app) != before
    assert numbers(run(noise="1")) == numbers(app)


def test_telling_the_mask_helps(tiny: Path) -> None:
    blind, told = run(strength="0.2"), run(strength="0.2", told="true")
    assert float(numbers(told)[2]) < float(numbers(blind)[2])


def test_another_model_joins(tiny: Path) -> None:
    app = run()
    app.multiselect(key="denoise.beside").set_value(["ae-tiny"]).run()
    assert not app.exception
    assert "<figcaption>ae-tiny" in html(app)


def test_shipped_autoencoder_beats_inpainting_at_half_dropout(shipped: Path) -> None:
    if not (shipped / "dae-500.safetensors").exists() or not find_mnist():
        pytest.skip("dae-500 or MNIST is not here")
    st.cache_data.clear()
    app = run(strength="0.5")
    assert any(m.value.startswith("**dae-500** leaves the smallest error") for m in app.markdown)
    weak = run(strength="0.05")
    assert not any(m.value.startswith("**dae-500** leaves") for m in weak.markdown)


@pytest.mark.parametrize("rank", ["first", "second"])
def test_the_verdict_shows_hostile_names_as_plain_text(rank: str) -> None:
    clean = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    errors = {"first": (0.0, 0.1), "second": (0.1, 0.0)}[rank]
    methods: dict[str, inpainting.Repair] = {
        name: lambda x, mask, error=error: clean + error
        for name, error in zip(("![a](http://evil.test/a)", "other"), errors, strict=True)
    }
    mask = torch.zeros_like(clean, dtype=torch.bool)
    verdict = denoise.one_digit(clean, clean + 0.5, mask, methods, told=False)
    assert r"\!\[a\](http:" in verdict and "![a]" not in verdict


def test_an_untouched_slider_starts_where_the_damage_leaves_something(tiny: Path) -> None:
    app = run()
    assert sent(app, "live_slider")[0]["value"] == 0.5
    app.selectbox(key="denoise.kind").set_value("Blanked block").run()
    assert not app.exception
    assert sent(app, "live_slider")[0]["value"] == 0.15
    moved = run(strength="0.4", kind="Blanked block")
    assert sent(moved, "live_slider")[0]["value"] == 0.4


def test_the_link_names_the_strength_again_after_a_look_at_another_page(tiny: Path) -> None:
    app = browse("energy/denoise.py", "denoise", strength="0.9")
    turn_to(app, "start/home.py")
    assert "denoise.strength" not in app.query_params
    turn_to(app, "energy/denoise.py")
    assert sent(app, "live_slider")[0]["value"] == 0.9
    assert app.query_params["denoise.strength"] == "0.9"


def test_back_to_where_the_slider_was_untouched_leaves_the_link_without_it(tiny: Path) -> None:
    app = run(strength="0.9")
    del app.query_params["denoise.strength"]
    app.session_state[history.PRESSES] = 1
    ok(app.run())
    assert sent(app, "live_slider")[0]["value"] == run().session_state["denoise.strength.held"].x
    assert "denoise.strength" not in app.query_params


def test_an_empty_canvas_shows_no_results_for_another_digit(tiny: Path) -> None:
    app = run(**{"digit.from": "Draw", "scope": "This digit's class"})
    assert not app.exception
    assert "Draw a digit" in app.info[0].value
    assert "<figcaption>dae-tiny" not in html(app)
    assert app.button_group(key="denoise.scope").disabled


def test_a_method_has_one_colour_on_its_card_and_in_the_chart(tiny: Path) -> None:
    for kind in ("Dropout", "Gaussian noise"):  # there, inpainting has no curve
        app = run(kind=kind)
        page, chart = html(app), json.loads(app.get("plotly_chart")[0].proto.spec)
        for curve in chart["data"]:
            card = page[: page.index(f"<figcaption>{curve['name']}")].rpartition("<figure")[2]
            assert curve["line"]["color"] in card, curve["name"]


def errors_of(app: AppTest) -> dict[str, float]:
    """The number on each card."""
    assert not app.exception
    found = re.findall(r'<figcaption>([^<]+)<div class="number">([\d.]+)', html(app))
    return {name: float(number) for name, number in found}


@pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")
def test_what_the_page_promises_is_what_it_shows(shipped: Path) -> None:
    if not {"dae-500", "ae-30"} <= {path.stem for path in shipped.glob("*.safetensors")}:
        pytest.skip("dae-500 or ae-30 is not shipped")
    st.cache_data.clear()
    blind, told = errors_of(run(strength="0.15")), errors_of(run(strength="0.15", told="true"))
    assert blind["Navier–Stokes"] < blind["dae-500"]
    assert told["dae-500"] < min(told["Navier–Stokes"], told["Telea"])
    weak, strong = errors_of(run(strength="0.05")), errors_of(run())
    assert weak["ae-30"] > weak["Corrupted"]
    assert strong["ae-30"] < strong["Corrupted"] / 2
    block = errors_of(run(kind="Blanked block"))
    assert block["dae-500"] > 0.9 * block["Corrupted"]  # the hole is still there
    infos = [i for i in loading.checkpoints("Denoises") if i.name == "dae-500"]
    lines = denoise.curves(infos, "dropout", False, None)
    model, best = lines["dae-500"].y, np.minimum(lines["Telea"].y, lines["Navier–Stokes"].y)
    at = denoise.STRENGTHS.index(0.25)
    assert model[at] > best[at] and model[at + 1] < best[at + 1]  # they cross near 0.3
