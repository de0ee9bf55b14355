"""The Runs page without a browser: differences, curves, sweeps, the trash."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from genlib.models import FAMILIES
from genlib.plots.curves import compare
from genlib.runs import queue
from genlib.runs.directory import RunSpec
from genlib.runs.worker import work
from genlib.settings import Event, Spec, TrainSettings
from genlib.store import checkpoint
from genlib.ui.kit.plain import plain
from genlib.ui.train import runs, sweep
from tests.helpers import browse, ok, train

pytestmark = pytest.mark.usefixtures("no_runs")

TRAIN = {"epochs": 2, "limit": 128, "precision": "float32", "threads": 1}


def base(family: str = "autoencoder") -> RunSpec:
    return RunSpec(family, "digits", {"latent_dim": 2}, TRAIN)


def spec_of(family: str, name: str) -> Spec:
    every = [*FAMILIES[family].Config.specs(), *TrainSettings.specs()]
    return next(spec for spec in every if spec.name == name)


def test_without_runs_the_page_says_where_to_start() -> None:
    assert "No run yet" in browse("train/runs.py").info[0].value


def test_table_and_curves_show_what_differs() -> None:
    small = train(base())
    large = train(RunSpec("autoencoder", "digits", {"latent_dim": 9}, TRAIN))
    assert runs.differing([small, large]) == ["latent_dim"]
    assert runs.label(large, ["latent_dim"]) == f"{large.id} (latent dim 9)"
    app = browse("train/runs.py")
    table = app.dataframe[0].value
    assert list(table["latent_dim"]) == ["9", "2"], "newest first"
    assert (table["test loss, squared error per pixel"] > 0).all()
    assert list(table.index) == [large.id, small.id] and "name" not in table, "one column is enough"
    ok(app.multiselect(key="runs.compare").set_value([small.id]).run())
    assert "latent_dim" not in app.dataframe[0].value, "one run differs from nothing"
    queue.rename(small, "my best")
    assert list(ok(app.run()).dataframe[0].value["name"]) == [large.id, "my best"]


def test_losses_in_different_units_share_neither_a_column_nor_a_plot() -> None:
    nats = train(RunSpec("vae", "digits", {"latent_dim": 2}, TRAIN))
    squared = train(RunSpec("vae", "digits", {"latent_dim": 2, "likelihood": "mse"}, TRAIN))
    pixels = train(base())
    app = browse("train/runs.py")
    ok(app.multiselect(key="runs.compare").set_value([nats.id, squared.id, pixels.id]).run())
    table = app.dataframe[0].value
    for run, unit in ((nats, "nats"), (squared, "squared error per image")):
        filled = table[f"test loss, {unit}"].dropna()
        assert list(filled.index) == [run.id] and (filled > 0).all()
    charts = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    titles = [chart["layout"]["yaxis"]["title"]["text"] for chart in charts]
    units = ("nats", "squared error per image", "squared error per pixel")
    assert sorted(titles) == [f"test/loss, {unit}" for unit in units]


def test_a_changed_learning_rate_is_a_difference_and_is_marked() -> None:
    """Two runs of the same settings: one got another rate after its first epoch."""
    plain, steered = train(base()), queue.create(base())

    def steer(event: Event) -> None:
        if event.epoch == 1 and event.kind == "epoch":
            queue.set_lr(steered, 0.02)

    assert work(steered, steer) == "finished"
    assert runs.rate_changes(plain) == []
    assert runs.rate_changes(steered) == [(1.0, 0.02)]
    assert checkpoint.peek(steered.path / "model.safetensors").history[-1]["base_lr"] == 0.02
    assert runs.differing([plain, steered]) == ["lr"]
    table = browse("train/runs.py").dataframe[0].value
    assert list(table["lr"]) == ["0.001 → 0.02 (epoch 1)", "0.001"], "newest first"
    curves = {"a": [(1, 3.0), (2, 2.0)], "b": [(1, 4.0)]}
    marks = compare(curves, "test/loss", rates={"a": [(1.5, 0.02)], "b": []}).data[2:]
    assert [(list(m.x), list(m.y), list(m.text)) for m in marks] == [([1.5], [2.5], ["0.02"])]


def test_a_default_is_the_same_as_the_default_written_down() -> None:
    a = queue.create(RunSpec("autoencoder", "digits", {}, TRAIN))
    default = spec_of("autoencoder", "latent_dim").default
    b = queue.create(RunSpec("autoencoder", "digits", {"latent_dim": default}, TRAIN))
    assert runs.differing([a, b]) == []


def test_a_sweep_is_planned_whole_or_not_at_all() -> None:
    planned = sweep.plan(base(), spec_of("autoencoder", "latent_dim"), "2, 10,100, 10")
    assert [one.model["latent_dim"] for one in planned.specs] == [2, 10, 100]
    assert len({one.sweep for one in planned.specs}) == 1
    hidden = sweep.plan(base(), spec_of("autoencoder", "hidden"), "400; 500,300")
    assert [one.model["hidden"] for one in hidden.specs] == [[400], [500, 300]]
    rate = sweep.plan(base(), spec_of("autoencoder", "lr"), "0.1, 0.01")
    assert [one.train["lr"] for one in rate.specs] == [0.1, 0.01]
    for text, why in {
        "": "at least two",
        "2": "at least two",
        "2, x": "whole number",
        "2, 100000": "latent_dim must be",
        ",".join(map(str, range(2, 20))): "at most 12",
    }.items():
        refused = sweep.plan(base(), spec_of("autoencoder", "latent_dim"), text)
        assert refused.specs == []
        assert why in refused.error


@pytest.mark.usefixtures("nothing_starts")
def test_the_page_starts_a_sweep() -> None:
    app = browse("train/runs.py")
    ok(app.selectbox(key="sweep.base").set_value("recipe article-latent-2").run())
    ok(app.text_input(key="sweep.values.latent_dim").set_value("2, 5").run())
    ok(app.button(key="sweep.start").click().run())
    queued = queue.queue()
    assert [run.spec.model["latent_dim"] for run in queued] == [2, 5]
    assert queued[0].spec.model["activation"] == "relu", "the rest is as in the recipe"
    assert app.selectbox(key="runs.sweep").value == queued[0].spec.sweep


@pytest.mark.usefixtures("nothing_starts")
def test_values_typed_just_before_the_click_count() -> None:
    app = browse("train/runs.py")
    app.text_input(key="sweep.values.latent_dim").set_value("2, 5, 6")
    ok(app.button(key="sweep.start").click().run())
    assert sorted(run.spec.model["latent_dim"] for run in queue.queue()) == [2, 5, 6]


@pytest.mark.usefixtures("nothing_starts")
def test_a_double_click_starts_a_sweep_once() -> None:
    app = browse("train/runs.py")
    ok(app.text_input(key="sweep.values.latent_dim").set_value("2, 5").run())
    for _ in range(2):
        ok(app.button(key="sweep.start").click().run())
    assert sorted(run.spec.model["latent_dim"] for run in queue.queue()) == [2, 5]
    assert len(queue.queue()) == 2
    ok(app.text_input(key="sweep.values.latent_dim").set_value("3, 5").run())
    ok(app.button(key="sweep.start").click().run())
    assert len(queue.queue()) == 4, "another sweep is another one"


def test_a_sweep_s_result_has_an_error_for_each_value() -> None:
    settings = base()
    planned = sweep.plan(settings, spec_of("autoencoder", "latent_dim"), "1, 20")
    for spec in planned.specs:
        train(RunSpec(**{**spec.to_dict(), "train": {**TRAIN, "epochs": 12, "lr": 0.01}}))
    shown = {metric.label: float(metric.value) for metric in browse("train/runs.py").metric}
    narrow, wide = (plain(f"autoencoder latent_dim {n}") for n in (1, 20))
    assert set(shown) == {narrow, wide}
    assert shown[wide] < shown[narrow]


def test_deleted_runs_wait_in_the_trash() -> None:
    run = train(base())
    app = browse("train/runs.py")
    ok(app.button(key="runs.delete").click().run())
    assert queue.listing() == []
    app = browse("train/runs.py")  # another session, which did not delete it
    ok(app.button(key=f"runs.restore.{run.id}").click().run())
    assert [r.id for r in queue.listing()] == [run.id]
    assert "No run yet" not in [info.value for info in app.info]


def test_the_plot_has_a_line_a_run() -> None:
    figure = compare({"a": [(1, 3.0), (2, 2.0)], "b": [(1, 4.0)]}, "test/loss", log=True)
    assert [(trace.name, list(trace.x), list(trace.y)) for trace in figure.data] == [
        ("a", [1, 2], [3.0, 2.0]),
        ("b", [1], [4.0]),
    ]
    assert figure.layout.yaxis.type == "log"


def hostile(folder: Path) -> None:
    """Edited directories next to a sound run, which has odd lines and pictures of its own."""
    for n, (file, text) in enumerate(
        {
            "run.json": '{"family": "vae", "created": null}',
            "status.json": "{}",
            "control.json": '{"lr": "x", "stop": []}',
            "events.jsonl": "[" * 100_000,
            "previews/epoch-0001.npy": "no pictures",
            "previews/epoch-x.npy": "",
            "model.safetensors": "no weights",
        }.items()
    ):
        run = queue.create(replace(base(), name=f"edited {n}"))
        (run.path / file).parent.mkdir(exist_ok=True)
        (run.path / file).write_text(text)
    queue.create(replace(base(), family="from the future"))


@pytest.mark.parametrize("script", ["train/runs.py", "train/train.py"])
def test_edited_directories_do_not_stop_the_pages(no_runs: Path, script: str) -> None:
    hostile(no_runs)
    run = train(base())
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(b'{"kind": "epoch", "step": 3, "epoch": 1, "metrics": {"test/loss": 1}}\n{\n')
        file.write(b'{"kind": "step", "step": 4, "epoch": 1, "metrics": {"steps": -1}}\n')
    app = browse()
    known = [found.id for found in queue.listing()]
    assert len(known) == 7, "all but the two that say nothing of themselves"
    for run_id in known:
        app.switch_page(script)
        app.query_params["train.show"] = "Watch"
        app.query_params["run"] = app.query_params["runs.compare"] = run_id
        ok(app.run())
        if script == "train/train.py":
            assert app.selectbox(key="train.run").value == run_id
