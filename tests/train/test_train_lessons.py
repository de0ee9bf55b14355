"""The lessons of Train and Runs open forms that can be started with exactly these settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlib.data.datasets import find_mnist
from genlib.models import FAMILIES
from genlib.ui.kit.lessons import Lesson
from genlib.ui.train.lessons import RUNS, TRAIN
from tests.helpers import browse, visit

pytestmark = pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")


@pytest.mark.parametrize("lesson", RUNS, ids=lambda lesson: lesson.key)
def test_a_sweep_has_a_run_for_each_value(lesson: Lesson, no_runs: Path) -> None:
    app = browse("train/runs.py", **lesson.state)
    setting = lesson.state["sweep.setting"]
    values = lesson.state[f"sweep.values.{setting}"].split(",")
    button = app.button(key="sweep.start")
    assert button.label == f"Start {len(values)} runs" and not button.disabled
    assert app.selectbox(key="sweep.setting").value == setting
    assert app.selectbox(key="sweep.base").value == lesson.state["sweep.base"]


@pytest.mark.parametrize("lesson", TRAIN, ids=lambda lesson: lesson.key)
def test_a_form_holds_the_settings_and_can_be_started(lesson: Lesson, no_runs: Path) -> None:
    app = visit("train/train.py", **lesson.state)
    assert not app.error and not app.button(key="train.start").disabled
    family = app.session_state["train.family"]
    for key, text in lesson.state.items():
        held = FAMILIES[family].title if key == "train.family" else app.session_state[key]
        number = isinstance(held, int | float) and not isinstance(held, bool)
        assert held == float(text) if number else str(held).lower() == text.lower(), key
