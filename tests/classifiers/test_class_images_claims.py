"""What Class images promises, in both number formats that a lens may choose."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlib.data.datasets import find_mnist
from genlib.explore.ascent.lens import FORMATS
from genlib.explore.ascent.live import Live
from genlib.ui.classifiers import lessons
from tests.helpers import ok, until, visit

pytestmark = pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")


@pytest.mark.parametrize("fact", [lessons.one_draws_a_three, lessons.a_four_becomes_a_nine])
@pytest.mark.parametrize("precision", FORMATS)
def test_a_fact_holds_in_each_number_format(
    fact: object, precision: str, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_PRECISION", precision)
    found = fact()  # type: ignore[operator]
    assert found.holds, found.said


def live_of(app: object) -> Live:
    return app.session_state["class_images.live"][1]  # type: ignore[attr-defined]


def test_it_opens_with_two_networks_and_another_goes_on_from_their_pictures(shipped: Path) -> None:
    app = visit("classifiers/class_images.py")
    live = live_of(app)
    assert live.groups == ("classifier-robust", "classifier") and live.shown.classes == (3, 13)
    for _ in range(2):
        app.button(key="class_images.step").click().run()
    robust, plain = live.picture()
    assert (robust != plain).any()
    app.selectbox(key="class_images.beside").set_value("nothing").run()
    alone = live_of(ok(app))
    assert alone is not live and alone.shown.step == 2
    assert (alone.picture()[0] == robust).all()
    app.selectbox(key="class_images.network").set_value("classifier-cifar").run()
    colour = live_of(ok(app))
    assert colour.groups[0] == "classifier-cifar" and colour.shown.step == 2
    assert colour.picture().shape[1:] == (3, 32, 32)


def test_a_lesson_climbs_to_its_step_once_and_a_click_takes_over(shipped: Path) -> None:
    link = {"lesson": "two_networks", "answer": "2", "class_images.steps": "5"}
    app = visit("classifiers/class_images.py", **link)
    live = live_of(app)
    assert until(lambda: not live.moving)
    assert live.shown.step == 5
    ok(app.run())
    assert live.shown.step == 5 and not live.running, "it doesn't begin again by itself"
    app.button(key="class_images.step").click().run()
    assert live_of(ok(app)) is live and live.shown.step == 6
    assert "class_images.steps" not in app.query_params
