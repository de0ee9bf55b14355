"""Views of a sweep on the Runs page, and the figure behind one of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genlib.plots.curves import parallel
from genlib.runs import queue, sweep
from genlib.runs.directory import Run, RunSpec
from genlib.store import checkpoint
from genlib.ui.train.runs import VIEWS, grouped
from tests.helpers import browse, ok, train

pytestmark = pytest.mark.usefixtures("no_runs")

TRAIN = {"epochs": 2, "limit": 128, "precision": "float32", "threads": 1}


@pytest.fixture
def runs() -> list[Run]:
    """Two latents and nine, two seeds each, and a run that only waits."""
    specs = [
        RunSpec("autoencoder", "digits", {"latent_dim": n}, {**TRAIN, "seed": seed}, sweep="s")
        for n in (9, 2)
        for seed in (0, 1)
    ]
    made = [train(spec) for spec in specs]
    return [*made, queue.create(replace(specs[0], model={"latent_dim": 30}))]


def loss(run: Run) -> float:
    return checkpoint.peek(run.path / "model.safetensors").history[-1]["test/loss"]


def test_the_table_has_means_over_seeds_and_the_best_is_said(runs: list[Run]) -> None:
    app = browse("train/runs.py", "sweep", view="Table")
    assert "5 runs: 4 finished, 1 stopped." in [caption.value for caption in app.caption]
    table = next(f.value for f in app.dataframe if "test/loss" in f.value)
    assert list(table["latent_dim"]) == [9.0, 2.0, 30.0] and list(table["runs"]) == [2, 2, 1]
    means = [(loss(a) + loss(b)) / 2 for a, b in (runs[:2], runs[2:4])]
    assert list(table["test/loss"])[:2] == pytest.approx(means)
    assert table["test/loss ±"].iloc[0] == pytest.approx(abs(loss(runs[0]) - loss(runs[1])) / 2)
    better = 9 if means[0] < means[1] else 2
    assert any(f"latent_dim = {better}" in text.value.replace("\\", "") for text in app.markdown)
    ok(app.toggle(key="sweep.highest").set_value(True).run())
    assert any(f"latent_dim = {11 - better}" in t.value.replace("\\", "") for t in app.markdown)
    ok(app.multiselect(key="sweep.only.latent_dim").set_value(["2"]).run())
    table = next(f.value for f in app.dataframe if "test/loss" in f.value)
    assert list(table["latent_dim"]) == [2.0]


def test_curves_are_grouped_by_the_values_of_a_setting(runs: list[Run]) -> None:
    table = sweep.rows(runs)
    by_latents = grouped(table, "latent_dim", "test/loss")
    assert {value: len(curves) for value, curves in by_latents.items()} == {"9": 2, "2": 2, "30": 1}
    assert by_latents["2"][0][2] == pytest.approx(loss(runs[2])) and by_latents["30"] == [{}]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens(runs: list[Run], view: str) -> None:
    app = browse("train/runs.py", "sweep", view=view, group="latent_dim")
    assert app.get("plotly_chart") or view in ("Table", "Reconstructions")
    if view == "Reconstructions":
        assert len(app.metric) == 2, "the first run of each setting that has a checkpoint"


def test_a_sweep_without_numbers_says_when_they_come() -> None:
    queue.create(RunSpec("autoencoder", "digits", {}, TRAIN, sweep="../../x"))
    app = browse("train/runs.py")
    assert "Numbers come with the first complete epoch." in [info.value for info in app.info]
    assert sweep.load("../../x").path.parent.name == "sweeps"


def test_the_figure_has_an_axis_per_setting() -> None:
    columns = {"lr": [0.1, 0.2, 0.1], "kind": ["a", "b", "b"], "loss": [3.0, 1.0, 2.0]}
    (plot,) = parallel(columns, "loss").data
    lr, kind, loss_axis = plot.dimensions
    assert list(lr.tickvals) == [0.1, 0.2] and list(lr.values) == [0.1, 0.2, 0.1]
    assert list(kind.values) == [0, 1, 1] and list(kind.ticktext) == ["a", "b"]
    assert list(plot.line.color) == list(loss_axis.values) == [3.0, 1.0, 2.0]
    assert loss_axis.tickvals is None, "measured numbers may lie close together"
    with pytest.raises(ValueError, match="one length"):
        parallel({"a": [1.0], "b": [1.0, 2.0]}, "a")


def test_every_line_is_seen_in_the_light_and_in_the_dark() -> None:
    """WCAG 2.2, 1.4.11: what carries a meaning has a contrast of 3 with its background."""
    (plot,) = parallel({"a": [1.0, 2.0], "loss": [1.0, 2.0]}, "loss").data
    assert [at for at, _ in plot.line.colorscale] == [0.0, 0.5, 1.0]
    for _, colour in plot.line.colorscale:
        for background in ("#ffffff", "#101817"):
            a, b = sorted((luminance(colour), luminance(background)))
            assert (b + 0.05) / (a + 0.05) >= 3, (colour, background)


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" in sRGB."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
