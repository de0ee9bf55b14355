"""The GAN page: every view with a small GAN, its empty state, and the duel's buttons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from genlib.explore.duel import Duel
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.models.gan import MLPGAN, MLPGANSettings
from genlib.store import checkpoint
from genlib.ui.adversarial.gan import data
from genlib.ui.adversarial.gan.steps import COLLAPSE, STARTS
from genlib.ui.kit import loading
from tests.helpers import sent, visit

run = partial(visit, "adversarial/gan.py", "gan")


VIEWS = ("Samples", "Walk", "Verdict", "Training", "Coverage", "Step by step")


@pytest.fixture
def tiny(shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small GAN that kept two epochs, and a classifier."""
    monkeypatch.setattr(data, "N", 60)
    monkeypatch.setattr(data, "TYPICAL", 3)
    model = MLPGAN(MLPGANSettings(latent_dim=4, hidden=(8, 16)))
    folder = shelf({"judge": Classifier(ClassifierSettings(width=4, dense=8))})
    terms = ("loss", "g_loss", "d_x", "d_gz", "d_accuracy")
    history = [{"epoch": e, "step": e, **{f"train/{t}": 0.5 for t in terms}} for e in (1, 2)]
    kept = folder / "gan.snapshots"
    kept.mkdir()
    for epoch, file in ((0, kept / "epoch-0000.safetensors"), (2, folder / "gan.safetensors")):
        checkpoint.save(
            file, model, name="gan", dataset="mnist", seed=0, epoch=epoch, history=history[:epoch]
        )
    return folder


def values(app: AppTest) -> dict[str, str]:
    return {m.label: m.value for m in app.metric}


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_draws_and_is_linked(tiny: Path, view: str) -> None:
    app = run(view=view)
    assert app.segmented_control(key="gan.view").value == view
    assert app.title[0].value == "GAN"


def test_new_z_draws_other_samples_and_says_so_in_the_link(tiny: Path) -> None:
    app = run()
    before = sent(app, "sample_grid")[0]
    app.button(key="gan.new").click().run()
    assert not app.exception
    after = sent(app, "sample_grid")[0]
    assert after["picture"] != before["picture"] and after["count"] == before["count"] == 49
    assert app.query_params["gan.seed"] == "1"


def test_the_same_link_shows_the_same_samples(tiny: Path) -> None:
    one, other = (sent(run(seed="7", chosen="3"), "sample_grid")[0] for _ in range(2))
    assert one == other and one["chosen"] == 3


def test_nonsense_in_the_link_does_no_harm(tiny: Path) -> None:
    assert sent(run(seed="-1", chosen="9999"), "sample_grid")[0]["chosen"] == 48
    walk = sent(run(view="Walk", **{"walk.at": "nan", "walk.speed": "1e9"}), "walk")[0]
    assert walk["at"] == 0 and walk["speed"] == walk["fastest"]


def test_the_verdict_names_what_is_judged(tiny: Path) -> None:
    app = run(view="Verdict")
    for way, name in (("Generated", "G(z)"), ("Merged", "+ 0.50"), ("Noise", "noise number 0")):
        app.segmented_control(key="gan.judged.image").set_value(way).run()
        assert not app.exception
        assert any(name in label for label in values(app))


def test_an_untrained_generator_is_called_collapsed(tiny: Path) -> None:
    app = run(view="Coverage")
    assert "Collapse" in app.error[0].value
    assert float(values(app)["Variety"].rstrip("%")) < 60
    assert not app.dataframe
    app.toggle(key="gan.through").set_value(True).run()
    assert app.dataframe[0].value["epoch"].tolist() == [0, 2]


def test_a_step_of_g_alone_leaves_d_s_verdict_of_real_images(tiny: Path) -> None:
    app = run(view="Step by step")
    before = values(app)
    app.button(key="gan.duel.once.g").click().run()
    assert not app.exception
    after = values(app)
    assert after["D(x)"] == before["D(x)"]
    assert any("1 steps of G and 0 of D" in c.value for c in app.caption)
    (save,) = app.get("download_button")  # a PNG is made on the click, not at each step
    assert save.proto.label == "Samples (PNG)" and save.proto.deferred_file_id
    app.button(key="gan.duel.once.d").click().run()
    assert any("1 steps of G and 1 of D" in c.value for c in app.caption)
    app.button(key="gan.duel.reset").click().run()
    assert values(app) == before


def test_the_shared_model_is_never_trained(tiny: Path) -> None:
    shown = sent(run(), "sample_grid")[0]["picture"]
    app = run(view="Step by step")
    for _ in range(3):
        app.button(key="gan.duel.once.both").click().run()
    assert not app.exception
    st.cache_data.clear()  # drawn again by the same cached model
    assert sent(run(), "sample_grid")[0]["picture"] == shown


def test_the_collapse_preset_sets_who_trains_and_how_fast_and_classes_are_counted(
    tiny: Path,
) -> None:
    app = run(view="Step by step")
    app.button(key="gan.duel.collapse").click().run()
    assert not app.exception
    assert app.segmented_control(key="gan.duel.who").value == "g"
    assert app.query_params["gan.duel.lr"] == f"{COLLAPSE:g}"
    app.button(key="gan.duel.count").click().run()
    assert not app.exception
    assert "Collapse" in app.error[0].value, "an untrained generator draws one image"
    app.button(key="gan.duel.once.g").click().run()
    assert not app.error, "the count was of another G"


def test_step_by_step_begins_at_the_first_epoch_that_was_kept(tiny: Path) -> None:
    kept = tiny / "gan.snapshots" / "epoch-0001.safetensors"
    other = MLPGAN(MLPGANSettings(latent_dim=4, hidden=(8, 16)))
    checkpoint.save(kept, other, name="gan", dataset="mnist", seed=0, epoch=1)
    st.cache_data.clear()
    app = run(view="Step by step")
    shown = {}
    for start in STARTS:
        app.segmented_control(key="gan.duel.start").set_value(start).run()
        assert not app.exception
        shown[start] = values(app)
    duel = Duel(other.eval(), loading.dataset().train_x, batch=64)
    assert shown["first"]["D(x)"] == f"{duel.trace[-1].d_x:.3f}"
    assert len({tuple(numbers.values()) for numbers in shown.values()}) == 3
    duel.close()
