"""``genlib sweep`` as a person calls it: a grid of tiny trainings, its table, mistakes, Ctrl-C."""

from __future__ import annotations

import csv
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genlib.cli.main import main
from genlib.runs import queue, sweep
from genlib.store import checkpoint
from tests.helpers import until

FIXED = ["--set", "limit=128", "--set", "precision=float32", "--set", "threads=1"]
TINY = ["sweep", "autoencoder", "--dataset", "digits", *FIXED]


@pytest.fixture(autouse=True)
def folder(no_runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of runs; whatever still trains in it afterwards is ended."""
    monkeypatch.setenv("GENLIB_MAX_RUNS", "1")  # restored afterwards, whatever --max sets
    yield no_runs
    for run in reversed(queue.listing()):
        queue.stop(run)
    for run in queue.listing():
        until(lambda run=run: not run.alive)


def test_a_grid_with_seeds_gives_a_table_with_errors(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    values = ["--set", "latent_dim=2,9", "--epochs", "1", "--seeds", "2", "--max", "2"]
    assert main([*TINY, *values, "--name", "mine"]) == 0
    out, err = capsys.readouterr()
    runs = sweep.load("mine").members()
    found = [(run.spec.model["latent_dim"], run.spec.train["seed"]) for run in runs]
    assert found == [(2, 0), (2, 1), (9, 0), (9, 1)]
    assert sweep.load("mine").at_once == 2, "going on with it needs no --max"
    assert err.count(" finished ") == 4 and "best by test/loss: latent_dim=" in out
    table = list(csv.DictReader((folder / "sweeps" / "mine" / "table.csv").open()))
    assert [row["latent_dim"] for row in table] == ["2", "9"]
    a, b = (checkpoint.peek(run.path / "model.safetensors").history[-1] for run in runs[:2])
    x, y = a["test/loss"], b["test/loss"]
    assert float(table[0]["test/loss"]) == pytest.approx((x + y) / 2)
    # The standard error of a mean of two: half their distance.
    assert float(table[0]["test/loss stderr"]) == pytest.approx(abs(x - y) / 2, rel=1e-4)
    assert table[0]["test/loss n"] == "2" and {"train/loss"} <= table[0].keys()
    assert main(["sweep", "--show", "mine"]) == 0
    assert capsys.readouterr().out == out


def test_one_run_per_setting_has_no_error() -> None:
    found = sweep.summary([{"a": 3.0}])
    assert found["a"][0] == 3.0 and math.isnan(found["a"][1])
    assert sweep.summary([{"a": 1.0}, {"a": 3.0}, {"b": 7.0}])["a"] == (2.0, 1.0, 2)


def test_values_that_hold_commas_are_separated_by_semicolons() -> None:
    from genlib.cli.sweep import values_of

    texts = {"hidden": "400;500,300", "lr": "0.1,0.01", "classes": "1,2"}
    assert values_of("autoencoder", texts) == {
        "hidden": ["400", "500,300"],
        "lr": ["0.1", "0.01"],
        "classes": ["1,2"],
    }


def test_a_sweep_that_is_refused_leaves_its_name_free(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [*TINY, "--set", "latent_dim=2,5", "--epochs", "1", "--name", "ghost"]
    with monkeypatch.context() as patch:
        patch.setenv("GENLIB_MAX_DISK", "0")
        assert main(asked) == 2
        assert main(["sweep", "--resume", "ghost"]) == 2
    assert "no sweep is called 'ghost'" in capsys.readouterr().err
    assert main(asked) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sweep"], "give either a FAMILY, --resume, --show or --stop NAME"),
        (["sweep", "vaee", "--set", "lr=1,2"], "unknown family 'vaee'"),
        ([*TINY, "--set", "latent_dim=2"], "one run isn't a sweep"),
        ([*TINY, "--set", "latent_dim=2,x"], "latent_dim must be a whole number"),
        ([*TINY, "--set", "latent_dim=,"], "--set latent_dim= has no value"),
        ([*TINY, "--set", "cake=1,2"], "unknown setting 'cake'"),
        ([*TINY, "--set", "lr=0.1,0.2", "--seeds", "0"], "--seeds must be between 1 and 10,000"),
        ([*TINY, "--set", "lr=0.1,0.2", "--seeds", "9" * 20], "between 1 and 10,000, got 999999"),
        ([*TINY, "--set", "lr=0.1,0.2", "--seeds", "9000"], "a sweep has at most 10,000 runs"),
        ([*TINY, "--set", "lr=0.1,0.2", "--name", "../a"], "name must have 1 to 60 letters"),
        ([*TINY, "--set", "lr=0.1,0.2", "--job", "cpus=2"], "the launcher here has no settings"),
        ([*TINY, "--set", "lr=0.1,0.2", "--job", "cpus"], "--job takes FIELD=VALUE, got 'cpus'"),
        ([*TINY, "--set", "lr=0.1,0.2", "--max", "-1"], "--max must be at least 1"),
        (["sweep", "--resume", "nothing"], "no sweep is called 'nothing'; there are none"),
        (["sweep", "--show", "../x"], "no sweep is called '../x'"),
    ],
)
def test_a_mistake_is_one_sentence_and_starts_nothing(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and sentence in err and err.count("\n") == 1
    assert not queue.listing() and not list((folder / "sweeps").glob("*"))


def test_ctrl_c_leaves_the_runs_and_stop_and_resume_find_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # All digits in pairs, for minutes: no machine ends it before this test does.
    lasting = ["--epochs", "1000", "--set", "limit=0", "--set", "batch_size=2"]
    command = [sys.executable, "-m", "genlib", *TINY, "--set", "latent_dim=2,3", *lasting]
    process = subprocess.Popen(
        [*command, "--name", "long"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: any(run.model for run in queue.listing()))
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130 and "Traceback" not in err
    assert "The runs go on. Stop them: genlib sweep --stop long." in err
    assert sorted(run.state for run in queue.listing()) == ["queued", "running"]
    assert main(["sweep", "--stop", "long"]) == 0
    assert "2 runs of long asked to stop" in capsys.readouterr().out
    until(lambda: all(run.state == "stopped" and not run.alive for run in queue.listing()))
    begun = next(run for run in queue.listing() if run.model)
    before = checkpoint.peek(begun.path / "model.safetensors").epoch
    # Give each run one epoch more than the first has, so that the sweep comes to its end.
    for run in queue.listing():
        shorten(run, int(before or 0) + 1)
    assert main(["sweep", "--resume", "long"]) == 0
    assert {run.state for run in queue.listing()} == {"finished"}


def shorten(run: queue.Run, epochs: int) -> None:
    from genlib.files import write_json

    spec = run.spec
    write_json(run.path / "run.json", {**spec.to_dict(), "train": {**spec.train, "epochs": epochs}})
