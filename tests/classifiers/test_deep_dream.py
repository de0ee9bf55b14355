"""The DeepDream page, on a small classifier and on a file that isn't an image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from genlib.explore.ascent.live import Live
from genlib.explore.ascent.surgery import Layer
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.ui.classifiers import deep_dream
from tests.helpers import normal, visit

KEY = "deep_dream"


@pytest.fixture
def app(shelf: Callable[..., Path]) -> AppTest:
    shelf({"tiny": Classifier(ClassifierSettings(width=4, dense=4))})
    return visit("classifiers/deep_dream.py")


def live_of(app: AppTest) -> Live:
    return app.session_state[f"{KEY}.live"][1]


def test_a_photograph_is_dreamt_upon_at_its_own_size_and_in_grey(app: AppTest) -> None:
    live = live_of(app)
    count, height, width, channels = live.shown.images.shape
    assert (count, width, channels) == (1, 320, 1) and 200 < height < 220
    before, value = live.shown.images.copy(), live.shown.value[0]
    for _ in range(3):
        app.button(key=f"{KEY}.step").click().run()
    assert not app.exception and live.shown.step == 3
    assert not np.array_equal(before, live.shown.images) and live.shown.value[0] > value


def test_layer_channel_and_octaves_change_without_starting_over(app: AppTest) -> None:
    live = live_of(app)
    app.button(key=f"{KEY}.step").click().run()
    app.selectbox(key=f"{KEY}.layer").set_value("layers.2").run()
    app.toggle(key=f"{KEY}.whole").set_value(False).run()
    app.number_input(key=f"{KEY}.channel").set_value(2).run()
    app.slider(key=f"{KEY}.octaves").set_value(2).run()
    app.button(key=f"{KEY}.step").click().run()
    assert not app.exception and live_of(app) is live and live.shown.step == 2
    knobs = live.knobs
    assert (knobs.objective, knobs.layer, knobs.channel, knobs.octaves) == (
        "channel",
        "layers.2",
        2,
        2,
    )


def test_another_picture_and_size_begin_anew(app: AppTest) -> None:
    live = live_of(app)
    app.button(key=f"{KEY}.step").click().run()
    app.button_group(key=f"{KEY}.picture").set_value("flower").run()
    app.select_slider(key=f"{KEY}.side").set_value(96).run()
    assert not app.exception and live.shown.step == 0 and live.shown.images.shape[2] == 96


def test_other_weights_under_the_same_name_go_on_from_the_picture(
    app: AppTest, shelf: Callable[..., Path]
) -> None:
    old = live_of(app)
    app.button(key=f"{KEY}.step").click().run()
    image = old.picture()
    shelf({"tiny": normal(Classifier(ClassifierSettings(width=4, dense=4)), 0.3)})
    app.run()
    live = live_of(app)
    assert not app.exception and live is not old
    assert live.shown.step == 1 and torch.equal(live.picture(), image)
    assert live.shown.value != pytest.approx(old.shown.value, rel=1e-2), "the new weights judge"


def test_a_file_that_is_no_picture_gets_one_sentence(app: AppTest) -> None:
    app.button_group(key=f"{KEY}.picture").set_value("upload").run()
    app.file_uploader(key=f"{KEY}.file").upload("x.png", b"no picture", "image/png").run()
    assert not app.exception
    assert "can't be read as an image" in app.error[0].value


def test_layers_have_names_that_a_person_understands_and_links_keep_the_code(app: AppTest) -> None:
    box = app.selectbox(key=f"{KEY}.layer")
    assert box.options[:2] == ["convolution 1, after ReLU", "convolution 1, after pooling"]
    box.set_value("layers.3").run()
    assert app.query_params[f"{KEY}.layer"] == "layers.3"
    again = visit("classifiers/deep_dream.py", **{f"{KEY}.layer": "layers.6"})
    assert again.selectbox(key=f"{KEY}.layer").value == "layers.6"


def test_parts_of_a_block_are_named_after_it_and_other_names_stay() -> None:
    kinds = {"layers.2.down.1": "MaxPool2d", "layers.2.down": "Sequential", "layers.2": "Group"}
    kinds |= {"layers.3.more": "Sequential", "layers.3": "Group", "inception4c": "Inception"}
    found = deep_dream.in_words([Layer(name, kind, 4, 8, 8) for name, kind in kinds.items()])
    assert list(found.values()) == [
        "block 1, after pooling",
        "block 1, after the downsampling",
        "block 1",
        "block 2, what it adds",
        "block 2",
        "inception4c",
    ]
