"""The Train page without a browser: the form, the states of a run, uploads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from genlib.files import write_json
from genlib.models import FAMILIES
from genlib.runs import queue
from genlib.runs.directory import Run, RunSpec
from genlib.runs.worker import work
from genlib.settings import Control, Event, TrainSettings
from genlib.store import checkpoint
from genlib.ui.train import curves, form, watch
from genlib.ui.train.upload import kept
from tests.helpers import browse, ok, train, until

TRAIN = {"epochs": 2, "limit": 128, "precision": "float32", "threads": 1}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of runs; nothing of the shipped checkpoints."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path / "shipped"))
    yield tmp_path
    for run in queue.listing():
        run.set_control(Control(stop=True))
        until(lambda run=run: not run.alive)


def page(**query: str) -> AppTest:
    return browse("train/train.py", "", **{k.replace("__", "."): v for k, v in query.items()})


def trained(**settings: object) -> Run:
    """A finished run of 128 embedded digits."""
    return train(RunSpec("autoencoder", "digits", {"latent_dim": 2}, {**TRAIN, **settings}))


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_form_has_every_setting_of_every_family(family: str) -> None:
    app = page()
    ok(app.selectbox(key="train.family").set_value(family).run())
    config = {spec.name for spec in FAMILIES[family].Config.specs()} - set(form.FROM_DATA)
    keys = {w.key for kind in (app.number_input, app.selectbox, app.text_input) for w in kind}
    keys |= {w.key for w in app.toggle}
    for name in config | {spec.name for spec in TrainSettings.specs()}:
        assert f"train.{family}.{name}" in keys
    start = app.button(key="train.start")
    if start.disabled:  # MNIST is too large for this family, and the button says what to take
        assert "take the dataset bars" in start.help
        ok(app.selectbox(key="train.dataset").set_value("bars").run())
        start = app.button(key="train.start")
    assert not start.disabled


def test_a_recipe_fills_the_form_and_own_settings_empty_it() -> None:
    app = page()
    ok(app.selectbox(key="train.autoencoder.recipe").set_value("ae-slides-2d").run())
    assert app.text_input(key="train.autoencoder.hidden").value == "500, 300"
    assert app.number_input(key="train.autoencoder.lr").value == pytest.approx(1e-4)
    assert app.text_input(key="train.autoencoder.classes").value == "1,5,6"
    ok(app.selectbox(key="train.autoencoder.recipe").set_value("own settings").run())
    assert app.text_input(key="train.autoencoder.hidden").value == ""
    assert app.number_input(key="train.autoencoder.lr").value == pytest.approx(1e-3)


def test_what_cannot_be_trained_is_said_and_cannot_be_started() -> None:
    app = page()
    ok(app.text_input(key="train.autoencoder.hidden").set_value("400, many").run())
    assert "hidden must be a whole number, got 'many'" in app.error[0].value
    assert app.button(key="train.start").disabled
    app.text_input(key="train.autoencoder.hidden").set_value("")
    ok(app.text_input(key="train.autoencoder.classes").set_value("3,12").run())
    assert "class '12'" in app.error[0].value
    assert queue.listing() == []


@pytest.mark.usefixtures("nothing_starts")
def test_start_makes_a_run_with_the_form_s_settings() -> None:
    app = page()
    app.number_input(key="train.autoencoder.latent_dim").set_value(7)
    app.number_input(key="train.autoencoder.epochs").set_value(3)
    ok(app.run())
    ok(app.button(key="train.start").click().run())
    (run,) = queue.listing()
    assert run.state == "queued"
    assert (run.spec.model["latent_dim"], run.spec.train["epochs"]) == (7, 3)
    assert app.segmented_control(key="train.show").value == "Watch"
    assert app.subheader[0].value == run.id
    assert "place 1 of 1" in app.info[0].value


@pytest.mark.usefixtures("nothing_starts")
def test_a_number_typed_just_before_the_click_counts() -> None:
    """On a busy server both arrive together, and the button still knows the old number."""
    app = page()
    app.number_input(key="train.autoencoder.epochs").set_value(3)
    app.text_input(key="train.autoencoder.hidden").set_value("30, 20")
    ok(app.button(key="train.start").click().run())
    (run,) = queue.listing()
    assert (run.spec.train["epochs"], run.spec.model["hidden"]) == (3, [30, 20])


def test_a_wrong_setting_typed_just_before_the_click_starts_nothing() -> None:
    app = page()
    app.text_input(key="train.autoencoder.hidden").set_value("400, many")
    ok(app.button(key="train.start").click().run())
    assert "hidden must be a whole number, got 'many'" in app.toast[0].value
    assert queue.listing() == []


@pytest.mark.usefixtures("nothing_starts")
def test_a_run_that_waits_already_is_shown_instead_of_started_again() -> None:
    app = page()
    ok(app.button(key="train.start").click().run())
    (run,) = queue.listing()
    again = page()
    ok(again.button(key="train.start").click().run())
    assert queue.listing() == [run] and again.subheader[0].value == run.id


def test_a_stopped_run_takes_another_learning_rate_before_it_goes_on() -> None:
    run = trained()
    run.set_status("stopped", time.time())
    app = page(train__show="Watch", run=run.id)
    rate = app.number_input(key=f"run.lr.{run.id}")
    assert not rate.disabled and "Takes effect when the run is resumed" in rate.help
    ok(rate.set_value(0.02).run())
    assert run.control.lr == 0.02
    assert work(run, lambda event: None) == "finished"
    assert run.control.lr == 0.02
    finished = page(train__show="Watch", run=run.id).number_input(key=f"run.lr.{run.id}")
    assert finished.disabled


@pytest.mark.usefixtures("nothing_starts")
def test_a_visitor_with_too_many_runs_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_MAX_OWN_RUNS", "0")
    app = page()
    ok(app.button(key="train.start").click().run())
    assert "at most 0 are allowed" in app.toast[0].value
    assert queue.listing() == []
    monkeypatch.setenv("GENLIB_MAX_OWN_RUNS", "1")
    ok(app.button(key="train.start").click().run())
    (run,) = queue.listing()
    assert len(run.owner) == 32 and queue.unfinished(run.owner) == [run]


def test_a_finished_run_can_be_named_deleted_and_brought_back() -> None:
    run = trained()
    app = page(train__show="Watch", run=run.id)
    assert app.subheader[0].value == run.id
    assert {m.label: m.value for m in app.metric}["Epochs"] == "2 / 2"
    ok(app.text_input(key=f"run.name.{run.id}").set_value("my digits").run())
    assert checkpoint.peek(run.path / "model.safetensors").name == "my digits"
    checkpoint.load(run.path / "model.safetensors")  # the weights are where they were
    assert app.subheader[0].value == "my digits"
    ok(app.button(key="run.delete").click().run())
    assert queue.listing() == []
    ok(app.button(key="run.undo").click().run())
    assert [r.name for r in queue.listing()] == ["my digits"]
    assert app.subheader[0].value == "my digits"


def test_undo_leads_back_to_the_run_that_was_watched() -> None:
    run, other = trained(), trained()
    app = page(train__show="Watch", run=run.id)
    ok(app.button(key="run.delete").click().run())
    assert app.subheader[0].value == other.id
    ok(app.button(key="run.undo").click().run())
    assert app.subheader[0].value == run.id
    assert app.query_params["run"] in (run.id, [run.id])


@pytest.mark.parametrize("key", ["run.resume", "run.delete", "run.name"])
def test_a_run_that_another_session_deleted_is_said_to_be_gone(key: str) -> None:
    run, other = trained(), trained()
    run.set_status("stopped", time.time())
    app = page(train__show="Watch", run=run.id)
    queue.delete(run)
    if key == "run.name":
        ok(app.text_input(key=f"run.name.{run.id}").set_value("my digits").run())
    else:
        ok(app.button(key=key).click().run())
    assert "was deleted. It can be restored" in app.toast[0].value
    assert app.subheader[0].value == other.id and queue.listing() == [other]


def test_the_second_click_on_undo_does_nothing() -> None:
    """It is on its way while the first one brings the run back."""
    run = trained()
    app = page(train__show="Watch", run=run.id)
    ok(app.button(key="run.delete").click().run())
    del app.session_state["runs.deleted"]
    ok(app.button(key="run.undo").click().run())
    assert queue.listing() == [] and not app.toast


def test_the_pictures_travel_back_to_the_untrained_model() -> None:
    run = trained()
    app = page(train__show="Watch", run=run.id)
    slider = app.select_slider(key=f"run_view.epoch.{run.id}")
    assert slider.options == ["0", "1", "2"]
    last = app.get("image")[0].proto.imgs[0]
    ok(slider.set_value(0).run())
    first = app.get("image")[0].proto.imgs[0]
    assert last.caption.endswith("epoch 2")
    assert first.caption.endswith("epoch 0")
    assert first.url != last.url


@pytest.mark.parametrize("n", [1, 5, 8, 9, 16])
def test_each_reconstruction_is_under_its_picture(n: int) -> None:
    """However few test pictures there are: picture i has the value 10 + i, its twin 100 + i."""
    values = [*range(10, 10 + n), *range(100, 100 + n)]
    preview = np.stack([np.full((1, 4, 4), value, np.uint8) for value in values])
    tiles = watch.arrange(preview, paired=True)[2::5, 2::5]  # the middle of each tile
    assert tiles.shape == (2 * -(-n // 8), min(n, 8))
    pictures, twins = tiles[::2].flatten().tolist(), tiles[1::2].flatten().tolist()
    assert (pictures[:n], twins[:n]) == (values[:n], values[n:])
    assert set(pictures[n:] + twins[n:]) <= {128}, "grey where there is nothing"
    assert (
        watch.arrange(preview[:n], paired=False)[2::5, 2::5].flatten()[:n].tolist() == (values[:n])
    )


def test_a_run_of_few_test_pictures_can_be_watched() -> None:
    run = trained()
    for _, path in run.previews():
        np.save(path, np.zeros((2 * 9, 1, 28, 28), np.uint8))
    app = page(train__show="Watch", run=run.id)
    assert app.get("image")[0].proto.imgs[0].caption.startswith("Test images, and below each row")


@pytest.mark.parametrize(
    ("state", "text"),
    [("running", "ended unexpectedly"), ("failed", "the disk is full")],
)
def test_lost_and_failed_runs_say_so_and_can_be_resumed(state: str, text: str) -> None:
    run = trained()
    run.set_status(state, time.time(), "the disk is full" if state == "failed" else "")
    app = page(train__show="Watch", run=run.id)
    assert text in (app.error if state == "failed" else app.warning)[0].value
    assert not app.button(key="run.resume").disabled
    assert app.button(key="run.pause").disabled


def test_a_resumed_run_is_followed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained()
    run.set_status("stopped", time.time())
    followed: list[bool] = []
    plain = watch.follow
    monkeypatch.setattr(
        watch, "follow", lambda i, live, back: (followed.append(live), plain(i, live, back))
    )
    monkeypatch.setattr(queue, "advance", lambda now=False: [])
    app = page(train__show="Watch", run=run.id)
    ok(app.button(key="run.resume").click().run())
    assert followed[0] is False and followed[-1] is True


def test_resume_in_a_second_tab_says_that_it_goes_on_already() -> None:
    run = trained()
    run.set_status("stopped", time.time())
    app = page(train__show="Watch", run=run.id)
    run.set_status("finished", time.time())  # the first tab resumed it, and it came to its end
    ok(app.button(key="run.resume").click().run())
    assert "only an interrupted run can be resumed" in app.toast[0].value
    ok(app.run())
    assert not app.toast, "said once"


def test_a_link_to_a_run_that_is_gone_shows_another_or_says_there_is_none() -> None:
    app = page(train__show="Watch", run="vae-99")
    assert "No run yet" in app.info[0].value
    run = trained()
    app = page(train__show="Watch", run="vae-99")
    assert app.subheader[0].value == run.id


# -------------------------------------------------------------------------------- uploads


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    uploader = app.file_uploader[0]
    return ok(uploader.set_value((name, data, "application/octet-stream")).run())


def test_a_good_upload_is_kept_listed_and_deleted_with_undo(folder: Path) -> None:
    data = (trained().path / "model.safetensors").read_bytes()
    app = page(train__show="Upload")
    upload(app, "../of a friend.safetensors", data)
    assert "ready on the other pages" in app.success[0].value
    (info,) = kept()
    assert info.path == folder / "runs" / "uploads" / "of_a_friend.safetensors"
    upload(app, "of a friend.safetensors", data)
    assert len(kept()) == 2
    ok(app.button(key="upload.delete.of_a_friend.safetensors").click().run())
    assert [i.path.name for i in kept()] == ["of_a_friend-2.safetensors"]
    ok(app.button(key="upload.undo").click().run())
    assert len(kept()) == 2


def test_undo_replaces_no_upload_of_the_same_name() -> None:
    mine, another = (
        (trained(seed=seed).path / "model.safetensors").read_bytes() for seed in (0, 1)
    )
    app = upload(page(train__show="Upload"), "a.safetensors", mine)
    ok(app.button(key="upload.delete.a.safetensors").click().run())
    upload(app, "a.safetensors", another)
    ok(app.button(key="upload.undo").click().run())
    assert {info.path.read_bytes() for info in kept()} == {mine, another}
    ok(app.button(key="upload.delete.a.safetensors").click().run())
    del app.session_state["upload.deleted"]  # as the second click of a double click finds it
    ok(app.button(key="upload.undo").click().run())


@pytest.mark.parametrize("name", ["truncated", "foreign", "noise", "pickle", "nan"])
def test_a_bad_upload_is_one_sentence_and_changes_nothing(name: str) -> None:
    data = (trained().path / "model.safetensors").read_bytes()
    nan = b"\xff" * 400
    files = {
        "truncated": ("a.safetensors", data[:-100]),
        "foreign": ("a.safetensors", (2).to_bytes(8, "little") + b"{}"),
        "noise": ("a.safetensors", bytes(range(256)) * 40),
        "pickle": ("a.pt", b"\x80\x04\x95"),
        "nan": ("a.safetensors", data[:-400] + nan),
    }
    app = upload(page(train__show="Upload"), *files[name])
    assert len(app.error) == 1
    assert app.error[0].value.count(". ") <= 1
    assert kept() == []


# ------------------------------------------------------------------------ what is computed


def test_settings_survive_the_form() -> None:
    for family in FAMILIES.values():
        for spec in [*family.Config.specs(), *TrainSettings.specs()]:
            given = form.as_shown(spec, spec.default)
            back = form.read(spec, given)
            expected = list(spec.default) if isinstance(spec.default, tuple) else spec.default
            assert back == expected, spec.name


def test_curves_have_an_end_and_at_most_their_points() -> None:
    run = trained(epochs=5)
    records = watch.diary(run)
    assert curves.terms(records) == ["loss"]
    rows = curves.frame(records, "loss", 5)
    assert list(rows[rows["set"] == "test"]["epoch"]) == [1, 2, 3, 4, 5]
    many = [r for r in records if r.kind == "epoch"] * 300
    assert len(curves.frame(many, "loss", 5)) <= 2 * (curves.POINTS + 1)


def test_a_finished_run_keeps_the_fall_of_its_first_steps() -> None:
    records = [
        Event("step", step, (step - 1) // 10, metrics={"train/loss": 1 / step, "steps": 30.0})
        for step in range(1, 31)
    ]
    for epoch in (1, 2, 3):
        metrics = {"train/loss": 0.2, "test/loss": 0.1, "steps": 30.0}
        records.append(Event("epoch", 10 * epoch, epoch, metrics=metrics))
    rows = curves.frame(records, "loss", 3)
    assert rows[rows["set"] == "train"]["value"].iloc[0] == 1.0
    assert curves.steep(rows)
    assert not curves.steep(rows[rows["value"] < 0.1])
    assert not curves.steep(rows.assign(value=rows["value"] - 0.5))


def test_curves_mark_where_the_learning_rate_was_changed() -> None:
    run = trained(epochs=2, schedule="cosine")
    records = watch.diary(run)
    assert curves.changes(records, 2, 1e-3) == [], "a schedule is not a change"
    run.set_control(Control(lr=0.01))
    train = {**run.spec.train, "epochs": 4}
    write_json(run.path / "run.json", {**run.spec.to_dict(), "train": train})
    assert work(run, lambda event: None) == "finished"
    assert curves.changes(watch.diary(run), 4, 1e-3) == [(2.0, 0.01)]
    page(train__show="Watch", run=run.id)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (61, "1 min 01 s"), (7260, "2 h 01 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert watch.duration(seconds) == text
