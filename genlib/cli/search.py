"""``genlib sweep --search``: sample settings, train them, give up those that promise nothing.

Optuna samples and judges (Akiba et al. 2019, arXiv:1907.10902); it never trains. ``ask`` makes a
trial, a run per seed trains it, its epochs are reported, and ``tell`` gives the result back. What
was tried is kept in ``trials.log``, a journal file in the sweep's directory, and which run is which
trial in ``sweep.json``, so that a search can go on.

Samples: tree-structured Parzen estimators (Bergstra et al. 2011). A run is given up when its metric
is worse than the median of the earlier runs at the same epoch.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from genlib.cli import sweep as command
from genlib.cli import train
from genlib.runs import clusters, launch, queue
from genlib.runs.directory import Run
from genlib.runs.events import fold
from genlib.runs.launch import LaunchError
from genlib.runs.sweep import SweepSpec

if TYPE_CHECKING:
    from optuna import Study, Trial

AT_ONCE = 2  # runs of a cluster at a time unless --max says more: each result guides the next
FIRST = 5  # runs that are never given up: there is nothing to compare them with
WARM_UP = 1  # epochs after which a run may be given up
LOG = ":log"


def start(options: argparse.Namespace) -> int:
    """``sweep FAMILY --search N --set beta=0.1..10:log``: a new search."""
    needed()
    if options.search < 2:
        raise ValueError(f"--search must be at least 2, got {options.search}")
    if options.leave:
        raise ValueError("a search is led by this command: leave out --leave")
    given = given_by(options)
    ranges, fixed = ranges_of(options.family, given)
    if "seed" in ranges and options.seeds > 1:
        raise ValueError("seed can't be sampled and repeated: leave out --seeds or --set seed")
    launcher, wish = launch.chosen(options.on), train.pairs(options.job, "--job")
    launch.launcher(launcher).check(launch.options(launcher, wish))  # before the name is taken
    dataset = train.dataset_of(options)
    one = SweepSpec(
        command.name_of(options, ranges),
        options.family,
        {name: [given[name]] for name in ranges},
        seeds=options.seeds,
        fixed=fixed,
        dataset=dataset,
        launcher=launcher,
        search=options.search,
        metric=options.metric,
        highest=options.highest,
        job=wish,
        at_once=options.max,
    )
    each = f", each with {one.seeds} seeds" if one.seeds > 1 else ""
    with command.begun(one):
        print(f"search {one.name}: {options.search} settings{each}", file=sys.stderr)
        return lead(one)


def given_by(options: argparse.Namespace) -> dict[str, str]:
    """The settings that the command line names, as text."""
    given = train.pairs(options.set)
    given |= {k: v for k in ("epochs", "seed") if (v := getattr(options, k)) is not None}
    return given


def ranges_of(family: str, given: dict[str, str]) -> tuple[dict[str, Range], dict[str, str]]:
    """What is sampled and what stays; ValueError where nothing is sampled or a value is bad.

    Both ends of a range, and every choice, must be values that the setting may have.
    """
    from genlib.models import FAMILIES
    from genlib.settings import TrainSettings

    train.settings_of(family, {})
    specs = {s.name: s for s in [*FAMILIES[family].Config.specs(), *TrainSettings.specs()]}
    ranges: dict[str, Range] = {}
    fixed: dict[str, str] = {}
    for name, text in given.items():
        found = span(name, text, name in specs and specs[name].kind is int)
        if found is not None:
            ends = [str(int(x) if found.whole else x) for x in (found.low, found.high)]
        else:
            ends = command.values_of(family, {name: text})[name]
        for end in ends:
            train.settings_of(family, {name: end})
        if found is not None or len(ends) > 1:
            ranges[name] = found or Range(choices=ends)
        else:
            fixed[name] = text
    if not ranges:
        raise ValueError("a search needs a range, such as --set lr=1e-4..1e-1:log, or a list")
    return ranges, fixed


def resume(one: SweepSpec) -> int:
    """``sweep --resume NAME`` of a search: interrupted runs go on, then the rest is sampled."""
    needed()
    command.limit(one)
    for run in one.members():
        if command.is_interrupted(run) and run.id not in one.pruned:
            command.again(one, run)
    return lead(one)


def lead(one: SweepSpec) -> int:
    """Keep enough runs at work until all trials have ended; Ctrl-C asks what to do with them."""
    ranges, _ = ranges_of(one.family, {name: values[0] for name, values in one.varied.items()})
    command.limit(one)
    leader = Leader(Search(one, ranges))
    watch = command.Watch(one)
    try:
        while leader.step():
            watch.one = leader.one
            watch.look()
            time.sleep(command.LOOK_S)
        watch.one = leader.one
        watch.look()
    except KeyboardInterrupt:
        return command.interrupted(leader.one)
    return command.ended(leader.one)


class Leader:
    """Between Optuna, which samples settings, and the queue, which trains a run for each seed.

    What a trial gives is the mean over its seeds.
    """

    def __init__(self, search: Search) -> None:
        self.search, self.one = search, search.one
        usual = queue.max_runs() if self.one.launcher == launch.HERE else AT_ONCE
        self.at_once = self.one.at_once or usual

    def step(self) -> bool:
        """Hear what the runs say, start new ones; returns whether any is left."""
        if self.search.unnoted(self.one.trials.values()) is not None:
            self._begin()
        members = self.one.members()
        trials: dict[int, list[Run]] = {}
        for run in members:
            if run.id in self.one.trials:
                trials.setdefault(self.one.trials[run.id], []).append(run)
        for number, runs in trials.items():
            if self.search.is_open(number):
                self._hear(number, runs)
        working = sum(clusters.goes_on(run, run.state) for run in members)
        begun = len(set(self.one.trials.values()))
        while working < self.at_once and begun < self.one.search:
            working, begun = working + self._begin(), begun + 1
        return working > 0

    def _begin(self) -> int:
        """Start the runs of a new trial; returns how many they are.

        A search that is killed here has asked for a trial, and may have started runs of it, without
        having noted which. The next one completes that trial first.
        """
        number, chosen = self.search.ask(self.one.trials.values())
        known = [run for run in self.one.members() if run.id not in self.one.trials]
        seeds = {run.spec.train["seed"] for run in known}
        texts = {**self.one.fixed, **chosen}
        first = int(texts.get("seed", "0"))
        specs = []
        for seed in range(first, first + self.one.seeds):
            if seed in seeds:
                continue
            how = train.settings_of(self.one.family, {**texts, "seed": str(seed)})
            spec = train.checked(self.one.family, self.one.dataset, *how, "")
            specs.append(replace(spec, sweep=self.one.name))
        runs = queue.start_all(
            specs,
            on=self.one.launcher,
            options=self.one.job,
            limited=False,
            at_once=self.at_once,
        )
        noted = {run.id: number for run in (*known, *runs)}
        self.one = replace(self.one, trials={**self.one.trials, **noted})
        self.one.save()
        return len(runs)

    def _hear(self, number: int, runs: Sequence[Run]) -> None:
        curves = [self._curve(run) for run in runs]
        reached = sorted(set.intersection(*(set(curve) for curve in curves)))
        means = {epoch: fmean(curve[epoch] for curve in curves) for epoch in reached}
        hopeless = [self.search.report(number, epoch, mean) for epoch, mean in means.items()]
        states = {run.id: run.state for run in runs}
        working = [run for run in runs if clusters.goes_on(run, states[run.id])]
        if working:
            if any(hopeless[-1:]):
                self._give_up(number, working)
        elif set(states.values()) == {"finished"} and all(curves):
            self.search.tell(number, fmean(curve[max(curve)] for curve in curves))
        elif "failed" in states.values():
            self.search.tell(number, None)

    def _give_up(self, number: int, working: Sequence[Run]) -> None:
        for run in reversed(working):  # those that wait first, or they would start meanwhile
            queue.stop(run)
        self.one = replace(self.one, pruned=[*self.one.pruned, *(run.id for run in working)])
        self.one.save()
        self.search.tell(number, None, pruned=True)

    def _curve(self, run: Run) -> Mapping[int, float]:
        """Epoch -> metric of a run; ValueError where its epochs don't have the metric."""
        epochs = [event for event in fold(run.events()[0]) if event.kind == "epoch"]
        if epochs and self.one.metric not in epochs[0].metrics:
            known = ", ".join(name for name in epochs[0].metrics if "/" in name)
            queue.stop(run)
            raise ValueError(f"--metric must be one of {known}, got {self.one.metric!r}")
        return {event.epoch: event.metrics[self.one.metric] for event in epochs}


# ----------------------------------------------------------------------------------- what is tried


@dataclass(frozen=True)
class Range:
    """Where the values of one setting come from: between two numbers, or one of several texts."""

    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    log: bool = False
    choices: Sequence[str] = ()

    def suggest(self, trial: Trial, name: str) -> str:
        """A value for this trial, as text."""
        if self.choices:
            return str(trial.suggest_categorical(name, list(self.choices)))
        if self.whole:
            return str(trial.suggest_int(name, int(self.low), int(self.high), log=self.log))
        return repr(trial.suggest_float(name, self.low, self.high, log=self.log))


def span(name: str, text: str, whole: bool) -> Range | None:
    """The range that "0.1..10" or "1e-4..1e-1:log" means, None for a text without "..".

    Raises ValueError for one that can't be sampled.
    """
    body, log = text.removesuffix(LOG), text.endswith(LOG)
    first, dots, last = body.partition("..")
    if not dots:
        return None
    kind: type[int] | type[float] = int if whole else float
    try:
        low, high = kind(first), kind(last)
    except ValueError:
        what = "whole numbers" if whole else "numbers"
        raise ValueError(f"{name} must be LOW..HIGH with {what}, got {text[:80]!r}") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{name} must be LOW..HIGH with LOW below HIGH, got {text[:80]!r}")
    if log and low <= 0:
        raise ValueError(f"{name} must begin above 0 on a logarithmic scale, got {text[:80]!r}")
    return Range(low, high, whole, log)


class Search:
    """The trials of one sweep."""

    def __init__(self, one: SweepSpec, ranges: Mapping[str, Range]) -> None:
        self.one, self.ranges = one, ranges
        self.study = _study(one)

    def unnoted(self, noted: Container[int]) -> int | None:
        """The number of a trial that was asked for and isn't among those noted to have runs."""
        trials = self.study.trials
        return next((t.number for t in trials if t.number not in noted), None)

    def ask(self, noted: Container[int]) -> tuple[int, dict[str, str]]:
        """The number of a trial and the settings it tries: a new one, unless one is ``unnoted``."""
        number = self.unnoted(noted)
        trial = self.study.ask() if number is None else self._trial(number)
        return trial.number, {name: r.suggest(trial, name) for name, r in self.ranges.items()}

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Say how good the trial is after an epoch; returns whether to give it up."""
        trial = self._trial(number)
        known = self.study.trials[number].intermediate_values
        if epoch not in known:
            trial.report(value, epoch)
        return bool(trial.should_prune())

    def tell(self, number: int, value: float | None, pruned: bool = False) -> None:
        """Say what came of a trial: its value, nothing (it failed), or that it was given up."""
        from optuna.trial import TrialState

        if self.study.trials[number].state.is_finished():
            return
        if pruned:
            self.study.tell(number, state=TrialState.PRUNED)
        elif value is None:
            self.study.tell(number, state=TrialState.FAIL)
        else:
            self.study.tell(number, value)

    def is_open(self, number: int) -> bool:
        """Whether its result is still unknown."""
        return not self.study.trials[number].state.is_finished()

    def _trial(self, number: int) -> Trial:
        from optuna.trial import Trial

        return Trial(self.study, self.study.trials[number]._trial_id)

    @property
    def asked(self) -> int:
        """How many trials there are, whatever came of them."""
        return len(self.study.trials)


def _study(one: SweepSpec) -> Study:
    needed()
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    one.path.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=one.name,
        storage=JournalStorage(JournalFileBackend(str(journal(one)))),
        load_if_exists=True,
        direction="maximize" if one.highest else "minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=FIRST, n_warmup_steps=WARM_UP),
    )
    # Another seed where a search goes on: the same one would draw its first settings again.
    study.sampler = optuna.samplers.TPESampler(seed=len(study.trials))
    return study


def needed() -> None:
    """Raise LaunchError, in a sentence, where Optuna isn't installed."""
    from importlib.util import find_spec

    if find_spec("optuna") is None:
        raise LaunchError(
            "Optuna isn't installed here: pip install 'genlib[search]', or give the values of a "
            "grid and leave out --search."
        )


def journal(one: SweepSpec) -> Path:
    """The journal file of a sweep."""
    return one.path / "trials.log"
