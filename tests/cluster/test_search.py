"""Searches with Optuna: samples, pruning, and going on from the journal."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from genlib.cli.main import main
from genlib.cli.search import Leader, Range, Search, ranges_of, span
from genlib.runs import events, queue, sweep
from genlib.settings import Control, Event

FIXED = ["--set", "limit=128", "--set", "precision=float32", "--set", "threads=1"]
TINY = ["sweep", "autoencoder", "--dataset", "digits", *FIXED, "--epochs", "2"]
VARIED = ["--set", "lr=1e-4..1e-1:log", "--set", "latent_dim=2..20"]

pytestmark = pytest.mark.usefixtures("folder")


def test_a_search_samples_within_its_ranges_and_keeps_a_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TINY, *VARIED, "--search", "4", "--max", "2", "--name", "s"]) == 0
    err = capsys.readouterr().err
    one = sweep.load("s")
    runs = one.members()
    assert len(runs) == len(one.trials) == 4 and err.count(" finished ") + len(one.pruned) >= 4
    rates = [float(str(run.spec.train["lr"])) for run in runs]
    widths = [int(str(run.spec.model["latent_dim"])) for run in runs]
    assert all(1e-4 <= lr <= 1e-1 for lr in rates) and len(set(rates)) == 4
    assert all(2 <= width <= 20 for width in widths)
    rows = list(csv.DictReader((folder / "sweeps" / "s" / "table.csv").open()))
    assert list(rows[0])[:2] == ["lr", "latent_dim"] and len(rows) == 4
    found = Search(one, {})
    values = {run.id: found.study.trials[one.trials[run.id]].value for run in runs}
    best = min(float(row["test/loss"]) for row in rows if row["test/loss"])
    assert min(v for v in values.values() if v is not None) == pytest.approx(best, rel=1e-5)
    assert main(["sweep", "--resume", "s"]) == 0, "nothing is left to do"
    assert len(sweep.load("s").members()) == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "lr=1..0.1"], "lr must be LOW..HIGH with LOW below HIGH"),
        (["--set", "lr=0..1:log"], "lr must begin above 0 on a logarithmic scale"),
        (["--set", "lr=1e-4..5"], "lr must be between 1e-06 and 1, got 5"),
        (["--set", "latent_dim=2..2.5"], "latent_dim must be LOW..HIGH with whole numbers"),
        (["--set", "latent_dim=2"], "a search needs a range"),
        ([*VARIED, "--leave"], "a search is led by this command"),
        ([*VARIED, "--seeds", "0"], "--seeds must be between 1 and 10,000, got 0"),
        ([*VARIED, "--seeds", "9" * 20], "--seeds must be between 1 and 10,000, got 999999"),
        ([*VARIED, "--job", "cpus=2"], "the launcher here has no settings, got cpus"),
        (["--set", "seed=1..9", "--seeds", "2"], "seed can't be sampled and repeated"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert main([*TINY, *arguments, "--search", "4"]) == 2
    assert sentence in capsys.readouterr().err and not queue.listing()
    assert not list((folder / "sweeps").glob("*"))


def test_ranges() -> None:
    assert span("a", "3", whole=True) is None
    assert span("a", "2..9", whole=True) == Range(2, 9, whole=True)
    ranges, fixed = ranges_of("autoencoder", {"lr": "0.1,0.01", "epochs": "3"})
    assert ranges == {"lr": Range(choices=["0.1", "0.01"])} and fixed == {"epochs": "3"}


@pytest.mark.usefixtures("nothing_starts")
def test_a_hopeless_run_is_stopped_and_a_search_goes_on_from_its_journal() -> None:
    ranges, _ = ranges_of("autoencoder", {"lr": "0.1..0.2"})
    one = sweep.SweepSpec(
        "p", "autoencoder", {"lr": ["0.1..0.2"]}, search=8, dataset="digits", at_once=8
    )
    leader = Leader(Search(one, ranges))
    leader.step()
    runs = leader.one.members()
    assert len(runs) == 8 == len(leader.one.trials)
    for run in runs[:6]:
        for epoch in (1, 2, 3):
            log(run, epoch, 1.0)
        run.set_status("finished", 1.0)
    leader.step()
    bad, good = runs[6:]
    for epoch in (1, 2):
        log(bad, epoch, 9.0)
        log(good, epoch, 0.5)
    leader.step()
    assert bad.state == "stopped" and bad.control.stop and leader.one.pruned == [bad.id]
    assert good.control == Control() and good.state == "queued"
    # Another process goes on with it: nothing is asked or told twice.
    again = Leader(Search(sweep.load("p"), ranges))
    again.step()
    assert again.search.asked == 8 and again.one.members() == runs
    states = [trial.state.name for trial in again.search.study.trials]
    assert states == ["COMPLETE"] * 6 + ["PRUNED", "RUNNING"]


@pytest.mark.usefixtures("nothing_starts")
def test_with_seeds_a_trial_is_their_mean_and_is_given_up_as_a_whole() -> None:
    ranges, _ = ranges_of("autoencoder", {"lr": "0.1..0.2"})
    fixed = {"seed": "5"}
    one = sweep.SweepSpec(
        "m", "autoencoder", {"lr": ["0.1..0.2"]}, 2, search=7, fixed=fixed, dataset="digits"
    )
    leader = Leader(Search(replace(one, at_once=14), ranges))
    leader.step()
    runs = leader.one.members()
    trials = [runs[i : i + 2] for i in range(0, 14, 2)]
    assert [run.spec.train["seed"] for run in runs] == [5, 6] * 7
    assert all(a.spec.train["lr"] == b.spec.train["lr"] for a, b in trials)
    assert len({run.spec.train["lr"] for run in runs}) == 7
    for a, b in trials[:6]:
        for epoch in (1, 2, 3):
            log(a, epoch, 1.0)
            log(b, epoch, 3.0)
        a.set_status("finished", 1.0)
    leader.step()
    assert {t.state.name for t in leader.search.study.trials} == {"RUNNING"}, "half of each"
    for _, b in trials[:6]:
        b.set_status("finished", 1.0)
    leader.step()
    assert [t.value for t in leader.search.study.trials] == [2.0] * 6 + [None]
    a, b = trials[6]
    for epoch in (1, 2):
        log(a, epoch, 9.0)
    leader.step()
    assert not leader.one.pruned, "one seed alone says nothing"
    for epoch in (1, 2):
        log(b, epoch, 1.0)
    leader.step()
    assert leader.one.pruned == [a.id, b.id] and {a.state, b.state} == {"stopped"}
    assert leader.search.study.trials[6].state.name == "PRUNED"
    assert not leader.step(), "nothing is left to do"


@pytest.mark.usefixtures("nothing_starts")
def test_a_search_killed_while_it_starts_a_trial_completes_that_trial() -> None:
    ranges, _ = ranges_of("autoencoder", {"lr": "0.1..0.2"})
    one = sweep.SweepSpec(
        "k", "autoencoder", {"lr": ["0.1..0.2"]}, 2, search=3, dataset="digits", at_once=4
    )
    leader = Leader(Search(one, ranges))
    leader.step()
    first, second = leader.one.members()[:2], leader.one.members()[2:]
    # As a kill leaves it: the second trial was asked for, one of its runs is there, none is noted.
    rate = second[0].spec.train["lr"]
    shutil.rmtree(second[1].path)
    replace(leader.one, trials={run.id: 0 for run in first}).save()
    again = Leader(Search(sweep.load("k"), ranges))
    again.step()
    members = again.one.members()
    assert members[:3] == [*first, second[0]] and len(members) == 4
    assert [run.spec.train["seed"] for run in members] == [0, 1, 0, 1]
    assert [run.spec.train["lr"] for run in members[2:]] == [rate, rate]
    assert [sweep.load("k").trials[run.id] for run in members] == [0, 0, 1, 1]
    assert again.search.asked == 2
    for run in members:
        log(run, 1, 3.0)
        run.set_status("finished", 1.0)
    again.step()
    assert [t.value for t in again.search.study.trials] == [3.0, 3.0, None], "and it counts"


def test_a_refused_search_leaves_nothing_to_go_on_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GENLIB_MIN_FREE", "1e6")  # GB: more than there is
    asked = [*TINY, *VARIED, "--search", "4", "--name", "refused"]
    assert main(asked) == 2 and "free" in capsys.readouterr().err
    assert main(["sweep", "--resume", "refused"]) == 2
    assert "no sweep is called 'refused'" in capsys.readouterr().err and not queue.listing()
    monkeypatch.setenv("GENLIB_MIN_FREE", "0")
    assert sweep.check_name("refused") == "refused"


def test_a_search_goes_on_with_its_seeds_and_its_limit_without_being_told_again(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    asked = ["--search", "2", "--seeds", "2", "--max", "2", "--name", "again"]
    assert main([*TINY, *VARIED, *asked]) == 0
    one = sweep.load("again")
    assert (one.seeds, one.at_once, len(one.members())) == (2, 2, 4)
    replace(one, search=3).save()
    capsys.readouterr()
    assert main(["sweep", "--resume", "again"]) == 0
    assert len(sweep.load("again").members()) == 6
    rows = list(csv.DictReader((folder / "sweeps" / "again" / "table.csv").open()))
    assert [row["test/loss n"] for row in rows] == ["2"] * 3
    assert all(float(row["test/loss stderr"]) >= 0 for row in rows)


def log(run: queue.Run, epoch: int, loss: float) -> None:
    events.append(run.log, Event("epoch", 4 * epoch, epoch, 1.0, {"test/loss": loss}))
