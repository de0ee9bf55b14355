"""``genlib sweep --search``: ask for settings, train them, tell what came out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from genlib.cli import sweep as command
from genlib.cli import train
from genlib.runs import clusters, launch, queue
from genlib.runs.directory import Run
from genlib.runs.events import fold
from genlib.runs.search import Range, Search, needed, span
from genlib.runs.sweep import SweepSpec

AT_ONCE = 2  # runs of a cluster at a time unless --max says more: each result guides the next


def start(options: argparse.Namespace) -> int:
    """``sweep FAMILY --search N --set beta=0.1..10:log``: a new search."""
    needed()
    if options.search < 2:
        raise ValueError(f"--search must be at least 2, got {options.search}")
    if options.leave:
        raise ValueError("a search is led by this command: leave out --leave")
    if options.seeds < 1:
        raise ValueError(f"--seeds must be at least 1, got {options.seeds}")
    given = given_by(options)
    ranges, fixed = ranges_of(options.family, given)
    if "seed" in ranges and options.seeds > 1:
        raise ValueError("seed can't be sampled and repeated: leave out --seeds or --set seed")
    dataset = train.dataset_of(options)
    one = SweepSpec(
        command.name_of(options, ranges),
        options.family,
        {name: [given[name]] for name in ranges},
        seeds=options.seeds,
        fixed=fixed,
        dataset=dataset,
        launcher=launch.chosen(options.on),
        search=options.search,
        metric=options.metric,
        highest=options.highest,
        job=train.pairs(options.job, "--job"),
        at_once=options.max,
    )
    launch.launcher(one.launcher).check(launch.options(one.launcher, one.job))
    one.save()
    each = f", each with {one.seeds} seeds" if one.seeds > 1 else ""
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
        """Start the runs of a new trial; returns how many they are."""
        number, chosen = self.search.ask()
        texts = {**self.one.fixed, **chosen}
        first = int(texts.get("seed", "0"))
        specs = []
        for seed in range(first, first + self.one.seeds):
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
        self.one = replace(self.one, trials={**self.one.trials, **{run.id: number for run in runs}})
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
