"""The Class images page: with no checkpoint, with one, and with controls moved."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from genlib.explore.ascent.knobs import turned
from genlib.explore.ascent.live import Live
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.models.residual import ResidualClassifier, ResidualSettings
from genlib.plots.curves import curves_figure
from genlib.store import checkpoint
from genlib.ui.classifiers import networks
from tests.helpers import normal, sent, visit

KEY = "class_images"
opened = partial(visit, "classifiers/class_images.py", KEY)


@pytest.fixture
def tiny(shelf: Callable[..., Path]) -> Path:
    """One small untrained classifier as the only checkpoint."""
    return shelf({"tiny": Classifier(ClassifierSettings(width=2, dense=4))})


def live_of(app: AppTest) -> Live:
    return app.session_state[f"{KEY}.live"][1]


def test_all_ten_climb_and_one_keeps_its_picture(tiny: Path) -> None:
    app = opened(show="All at once")
    live = live_of(app)
    assert live.shown.images.shape == (10, 28, 28, 1) and live.shown.step == 0
    app.button(key=f"{KEY}.step").click().run()
    app.button(key=f"{KEY}.step").click().run()
    assert not app.exception and live_of(app) is live and live.shown.step == 2
    three = live.shown.images[3].copy()
    app.button_group(key=f"{KEY}.show").set_value("one").run()
    app.selectbox(key=f"{KEY}.class").set_value(3).run()
    assert not app.exception and live.shown.classes == (3,) and live.shown.step == 2
    assert live.shown.images.shape[0] == 1
    assert not np.array_equal(three, live.film.frames[0].image[3].numpy())
    image = live.shown.images.copy()
    app.selectbox(key=f"{KEY}.class").set_value(7).run()
    assert live.shown.classes == (7,) and np.array_equal(live.shown.images, image)
    assert live.shown.step == 2, "changing the target never starts over"


def test_knobs_reach_the_ascent_while_nothing_restarts(tiny: Path) -> None:
    app = opened()
    live = live_of(app)
    app.button(key=f"{KEY}.step").click().run()
    app.query_params[f"{KEY}.lr"] = "0.5"  # the sliders are components: AppTest moves the link
    app.query_params[f"{KEY}.jitter"] = "0"
    app.toggle(key=f"{KEY}.fourier").set_value(True).run()
    assert not app.exception and live_of(app) is live and live.shown.step == 1
    assert (live.knobs.lr, live.knobs.jitter, live.knobs.parameterisation) == (0.5, 0, "fourier")
    app.button(key=f"{KEY}.step").click().run()
    assert live.shown.step == 2
    app.button(key=f"{KEY}.reset").click().run()
    assert live.shown.step == 0


def test_knobs_mean_the_same_while_they_are_dragged_and_at_rest(tiny: Path) -> None:
    at = {"lr": 0.5, "l2": 0.01, "jitter": 1, "blur": 9, "sigma": 1.1, "scale": 12, "rotate": 7}
    live = live_of(opened())
    untouched = live.knobs
    app = opened(**{name: str(value) for name, value in at.items()})
    sliders = [slider for slider in sent(app, "live_slider") if slider["post"]]
    assert sorted(slider["value"] for slider in sliders) == sorted(at.values())
    dragged = {slider["post"][1]: slider["value"] for slider in sliders}
    assert turned(untouched, dragged) == live_of(app).knobs != untouched
    with pytest.raises(ValueError, match="scale must be between"):
        turned(untouched, {"scale": 60})
    with pytest.raises(ValueError, match="knobs must be among"):
        turned(untouched, {"octaves": 2})


def test_start_shows_pause_and_pause_freezes(tiny: Path) -> None:
    app = opened()
    live = live_of(app)
    app.button(key=f"{KEY}.go").click().run()
    assert live.running and app.button(key=f"{KEY}.pause").label == "Pause"
    app.button(key=f"{KEY}.pause").click().run()
    step = live.shown.step
    assert not live.running
    app.run()
    assert live.shown.step == step and app.button(key=f"{KEY}.go").label == "Start"


def test_another_start_is_used_at_once_only_while_nothing_has_climbed(tiny: Path) -> None:
    app = opened()
    live = live_of(app)
    app.button_group(key=f"{KEY}.from").set_value("blank").run()
    assert not app.exception and not live.shown.images.any(), "digits begin on black"
    app.button(key=f"{KEY}.step").click().run()
    app.button_group(key=f"{KEY}.from").set_value("noise").run()
    assert live.shown.step == 1, "a picture that climbs is never thrown away"
    app.button(key=f"{KEY}.reset").click().run()
    assert live.shown.step == 0 and live.shown.images.any()


def test_the_shared_model_stays_bitwise_the_same(tiny: Path) -> None:
    from genlib.ui.kit import loading

    app = opened()
    model = loading.model(loading.checkpoints("Classifies")[0])
    before = {k: v.clone() for k, v in model.state_dict().items()}
    for _ in range(3):
        app.button(key=f"{KEY}.step").click().run()
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not any(part._forward_hooks for part in model.modules()) and not model.training


def test_other_weights_under_the_same_name_go_on_from_the_picture(
    tiny: Path, shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_PRECISION", "float32")
    app = opened()
    old = live_of(app)
    app.button(key=f"{KEY}.step").click().run()
    image = old.picture()
    trained_on = normal(Classifier(ClassifierSettings(width=2, dense=4)), 0.3).requires_grad_(False)
    shelf({"tiny": trained_on})
    app.run()
    live = live_of(app)
    assert not app.exception and live is not old
    assert live.shown.step == 1 and torch.equal(live.picture(), image)
    p = trained_on.logits(image).softmax(1)[0, live.shown.classes[0]]
    assert live.shown.probability[0] == pytest.approx(float(p), abs=1e-4)
    assert abs(old.shown.probability[0] - float(p)) > 1e-3, "the old weights say something else"
    app.run()
    assert live_of(app) is live


def test_without_any_checkpoint_untrained_networks_are_offered_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    app = opened()
    assert app.selectbox(key=f"{KEY}.network").value == "squeezenet1_1-untrained"
    assert any("Random weights" in caption.value for caption in app.caption)
    assert live_of(app).shown.images.shape == (1, 224, 224, 3)


def test_a_network_in_use_is_never_loaded_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("GENLIB_PRECISION", "float32")  # of no other test, whose pages may be open
    name = "squeezenet1_1-untrained"
    view = networks.lens_of(name).view()  # as an ascent looks through it
    st.cache_resource.clear()  # as when others looked through other networks
    again = networks.lens_of(name)
    assert view.of is again
    used = weakref.ref(again)
    del view, again
    st.cache_resource.clear()
    gc.collect()
    assert used() is None, "nobody uses it"


def test_a_large_network_is_offered_untrained_only_next_to_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("GENLIB_WEIGHTS", raising=False)
    assert "googlenet-untrained" in networks.choices()
    assert not any("vgg16" in key for key in networks.choices())
    (tmp_path / "vgg16.pth").touch()
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    assert {"vgg16", "vgg16-untrained"} <= networks.choices().keys()


def test_a_download_without_network_is_one_sentence(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlib.explore.ascent.imagenet.HOST", "http://127.0.0.1:9/")
    monkeypatch.setenv("TORCH_HOME", str(tiny / "torch"))
    app = opened()
    app.button(key=f"{KEY}.download").click().run()
    assert not app.exception and "could not be downloaded" in app.error[0].value


def test_a_file_too_large_for_a_page_is_said_so_before_it_is_sent(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tiny / "torch"))
    app = opened()
    assert not app.file_uploader[0].proto.disabled
    app.selectbox(key=f"{KEY}.get").set_value("vgg16").run()
    assert app.file_uploader[0].proto.disabled
    assert any("528 MB are more than the 128 MB" in caption.value for caption in app.caption)


def test_octaves_change_while_nothing_restarts(tiny: Path) -> None:
    settings = ResidualSettings(channels=3, image_size=32, widths=(4, 4, 4))
    model = ResidualClassifier(settings)
    checkpoint.save(tiny / "colour.safetensors", model, dataset="cifar10", seed=0, epoch=0)
    app = opened()
    app.selectbox(key=f"{KEY}.network").set_value("colour").run()
    live = live_of(app)
    app.button(key=f"{KEY}.step").click().run()
    app.slider(key=f"{KEY}.octaves").set_value(3).run()
    assert not app.exception and live_of(app) is live
    assert live.shown.step == 1 and live.knobs.octaves == 3
    app.button(key=f"{KEY}.step").click().run()
    assert not live.error and live.shown.step == 2, "it climbs in the smaller size"


@pytest.mark.parametrize("link", ["", "4"])
def test_a_network_of_one_size_is_offered_no_octaves(tiny: Path, link: str) -> None:
    app = opened(octaves=link) if link else opened()
    assert [s.disabled for s in app.slider if s.label == "Octaves"] == [True]
    live = live_of(app)
    assert live.knobs.octaves == 1
    app.button(key=f"{KEY}.step").click().run()
    assert not live.error and live.shown.step == 1


def test_the_figure_leaves_out_what_was_never_measured() -> None:
    table = np.full((3, 2, 4), np.nan, np.float32)
    table[0], table[2] = 1.0, 2.0
    figure = curves_figure(np.arange(4, dtype=np.int32), table, ["a", "b"], ["S", "P", "G"])
    assert [a.text for a in figure.layout.annotations] == ["S", "G"] and len(figure.data) == 4
    with pytest.raises(ValueError, match="table must be"):
        curves_figure(np.arange(3, dtype=np.int32), table, ["a", "b"], ["S", "P", "G"])
