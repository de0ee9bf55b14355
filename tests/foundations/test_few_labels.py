"""The Few labels page: labels in the link, ten at once, the table, the curve, the file."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pytest
import torch

from genlib import background
from genlib.data.datasets import find_mnist
from genlib.explore import few_labels
from genlib.ui.components import history
from genlib.ui.foundations.few_labels import data, methods, panels, state
from genlib.ui.kit import loading
from tests.helpers import browse, html, ok, turn_to, until, visit

PAGE = "foundations/few_labels.py"
HELD = "few.map.held"
pytestmark = pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")


@pytest.fixture
def some(shipped: Path) -> data.Task:
    return data.task(info())


def info() -> loading.Info:
    return next(one for one in loading.checkpoints("Encodes") if one.name == "vae-20")


def other_pool() -> data.Task:
    """The pool of a model that was trained on some of the classes."""
    slides = next(one for one in loading.checkpoints("Encodes") if one.name == "ae-slides-2d")
    return data.task(slides)


def three(some: data.Task) -> str:
    return "-".join(f"{some.numbers[row]}.{some.y[row]}" for row in (3, 1, 4))


def test_no_digit_is_both_on_the_map_and_in_the_test(some: data.Task) -> None:
    assert len(some.rows) == 2000 and len(some.test_rows) == 8000
    assert not set(some.rows) & set(some.test_rows)
    assert (loading.dataset().test_y.numpy()[some.rows] == some.y).all()


def test_labels_go_into_the_link_and_come_back(some: data.Task) -> None:
    text = three(some)
    pairs = state.parse(text, some)
    assert state.text(pairs) == text and [some.row_of[n] for n, _ in pairs] == [3, 1, 4]
    known, absent = int(some.numbers[0]), next(n for n in range(10_000) if n not in some.row_of)
    hostile = f"{known}.3-{absent}.1-x.y-{known}.10-{known}-9{'9' * 20}.1-{known}.4-.-é.1"
    assert state.parse(hostile, some) == ((known, 4),)
    assert state.allowed([[known, True, 1], ["1", 2], [known, 2.0]], some) == ()


def test_the_page_opens_with_the_labels_of_its_link(some: data.Task) -> None:
    app = visit(PAGE, "few", labels=three(some))
    assert app.query_params["few.labels"] == three(some)
    found = html(app)
    for method in methods.quick(info(), "Label spreading"):
        assert escape(method.name) in found
    labels = state.labels(state.parse(three(some), some), some)
    right = few_labels.accuracy(few_labels.spread(data.latents(info()), labels).test, some.test_y)
    assert f"{right.value:.1%}" in found


def test_ten_at_once_have_their_true_classes_and_follow_the_rule(some: data.Task) -> None:
    app = visit(PAGE, "few", rule="Most typical")
    ok(app.button(key="few.ten").click().run())
    pairs = state.parse(app.query_params["few.labels"], some)
    assert len(pairs) == 10 and all(some.y[some.row_of[n]] == y for n, y in pairs)
    x, labels = data.latents(info()), state.labels(pairs[:9], some)
    assert few_labels.most_typical(x, labels).row == some.row_of[pairs[9][0]]


def test_junk_in_the_link_is_dropped(some: data.Task) -> None:
    app = visit(PAGE, "few", labels="<b>-99999999.1-1.99")
    assert "few.labels" not in app.query_params


def test_labels_as_a_file(some: data.Task) -> None:
    number = int(some.numbers[0])
    wrong = (int(some.y[0]) + 1) % 10
    rows = list(csv.DictReader(io.StringIO(state.as_csv(((number, wrong),), some))))
    assert rows == [{"test_image": str(number), "label": str(wrong), "true_class": str(some.y[0])}]


def test_the_reason_names_what_makes_the_digit_uncertain(some: data.Task) -> None:
    labels = few_labels.balanced(some.y, 10, 10, np.random.default_rng(0))
    choice = panels.Setting(info(), "Latents", "Label spreading", False, "Least certain")
    made = panels.suggest(choice, labels, panels.guess(choice, labels))
    assert made is not None and made.first is not None and made.second is not None
    said = panels.reason(some, made)
    assert some.classes[made.first[0]] in said and f"{made.second[1]:.0%}" in said
    none = few_labels.Labels(labels.rows[:0], labels.y[:0], 10)
    first = panels.suggest(choice, none, None)
    assert first is not None and "nearer to it" in panels.reason(some, first)


@pytest.mark.usefixtures("shipped")
def test_the_curve_that_is_shipped_is_what_the_page_computes(some: data.Task) -> None:
    kept = methods.stored(info(), "Label spreading")
    assert kept is not None
    every = {one.name: one for one in methods.quick(info(), "Label spreading")}
    assert kept.keys() == {*every, methods.network_name()}
    for name, size in (
        ("Label spreading, latents of vae-20", 100),
        ("Logistic regression, pixels", 10),
        ("Bayes' rule, a PCA for each class", 50),
    ):
        found = [
            few_labels.accuracy(every[name].guess(labels).test, some.test_y).value
            for labels in methods.choices(some, size)
        ]
        band = kept[name]
        at = band.sizes.index(size)
        assert band.draws == len(found) == few_labels.DRAWS
        assert abs(np.mean(found) - band.mean[at]) < 2e-3, name
        assert abs(np.mean(found) - np.std(found) - band.low[at]) < 3e-3, name


@pytest.mark.usefixtures("shipped")
def test_the_network_of_the_shipped_curve_is_measured_on_the_same_digits(some: data.Task) -> None:
    """Half of the choices will do. Dropout draws from torch's own generator: about 1% for each."""
    torch.manual_seed(0)
    kept = methods.stored(info(), "Label spreading")
    assert kept is not None
    band, found = kept[methods.network_name()], []
    for labels in methods.choices(some, 1000)[:10]:
        *_, shares = methods.train_network(info(), labels, methods.SEED)
        assert not isinstance(shares, int)
        found.append(few_labels.accuracy(shares, some.test_y).value)
    assert band.sizes[-1] == 1000 and abs(np.mean(found) - band.mean[-1]) < 0.012


@pytest.mark.usefixtures("shipped")
def test_a_curve_of_other_weights_is_not_shown(some: data.Task, tmp_path: Path) -> None:
    copied = tmp_path / "vae-2.safetensors"
    other = next(one for one in loading.checkpoints("Encodes") if one.name == "vae-2")
    copied.write_bytes(other.path.read_bytes())
    (tmp_path / "vae-2.labels.json").write_bytes(methods.stored_file(info()).read_bytes())
    assert methods.stored(replace(other, path=copied), "Label spreading") is None


def test_the_curve_grows_method_by_method_and_can_be_cancelled(
    some: data.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "SIZES", (10, 100))
    monkeypatch.setattr(methods, "NETWORK_SIZES", ())
    monkeypatch.setattr(methods, "DRAWS", 3)
    name = "few-labels test curve"
    job = background.request(name, methods.curve(info(), "Label spreading"))
    until(lambda: not job.busy)
    assert job.state == "done", job.error
    bands = job.result
    assert isinstance(bands, dict) and len(bands) == len(methods.quick(info(), "Label spreading"))
    for band in bands.values():
        assert band.sizes == (10, 100) and band.draws == 3
        assert band.mean[1] > band.mean[0] and band.low[0] <= band.mean[0] <= band.high[0]
    monkeypatch.setattr(methods, "NETWORK_SIZES", (10,))
    job = background.restart(name, methods.curve(info(), "Label spreading"))
    job.cancel()
    until(lambda: not job.busy)
    assert job.state == "cancelled"


def test_published_numbers_are_those_of_the_paper() -> None:
    assert methods.published() == pytest.approx({"M1 + TSVM": 0.8818, "M1 + M2": 0.9667})


def test_other_models_and_features_take_the_same_labels(some: data.Task) -> None:
    app = visit(PAGE, "few", labels=three(some), model="vae-2", features="PCA")
    assert app.query_params["few.labels"] == three(some)
    app = visit(PAGE, "few", labels=three(some), classifier="Logistic regression")
    assert "Logistic regression, pixels" in html(app)


@pytest.mark.usefixtures("shipped")
def test_another_model_s_pool_keeps_the_labels_of_its_own_pictures(some: data.Task) -> None:
    app = visit(PAGE, "few", rule="Most typical")
    ok(app.button(key="few.ten").click().run())
    before = state.parse(app.query_params["few.labels"], some)
    ok(app.selectbox(key="few.model").set_value("ae-slides-2d").run())
    kept = tuple(pair for pair in before if pair[0] in other_pool().row_of)
    assert len(kept) < len(before) == 10
    assert app.query_params.get("few.labels", "") == state.text(kept)
    assert app.session_state[HELD].pairs == kept


@pytest.mark.usefixtures("shipped")
def test_the_browser_is_told_where_the_pictures_are_in_another_pool(some: data.Task) -> None:
    other = other_pool()
    number = next(n for n in some.row_of if n in other.row_of)
    assert some.row_of[number] != other.row_of[number]
    app = visit(PAGE, "few", labels=f"{number}.1")
    revision = app.session_state[HELD].revision
    ok(app.selectbox(key="few.model").set_value("vae-2").run())
    assert app.session_state[HELD].revision == revision, "the pool is the same"
    ok(app.selectbox(key="few.model").set_value("ae-slides-2d").run())
    assert app.query_params["few.labels"] == f"{number}.1"
    assert app.session_state[HELD].revision > revision, "the browser takes over the rows"


def test_labels_are_still_there_after_a_look_at_another_page(some: data.Task) -> None:
    app = browse(PAGE, "few", labels=three(some))
    turn_to(app, "start/home.py")
    assert "few.labels" not in app.query_params
    turn_to(app, PAGE)
    assert app.query_params["few.labels"] == three(some)
    assert app.session_state[HELD].pairs == state.parse(three(some), some)


def test_labels_given_faster_than_the_address_follows_are_kept(
    some: data.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(PAGE, "few", labels=three(some))
    ok(app.button(key="few.ten").click().run())
    given = app.query_params["few.labels"]
    assert len(state.parse(given, some)) == 13
    app.query_params["few.labels"] = three(some)  # the browser hasn't taken the newer one over
    monkeypatch.setattr(state, "in_fragment", lambda: True)  # as after a click on the map
    ok(app.run())
    assert app.query_params["few.labels"] == given
    assert state.text(app.session_state[HELD].pairs) == given


def test_back_to_where_nothing_was_labelled_takes_the_labels_away(some: data.Task) -> None:
    app = visit(PAGE, "few", labels=three(some))
    del app.query_params["few.labels"]
    app.session_state[history.PRESSES] = 1
    ok(app.run())
    assert "few.labels" not in app.query_params and app.session_state[HELD].pairs == ()
    ok(app.run())
    assert "few.labels" not in app.query_params
