"""``genlib sweep --search``: ask for settings, train them, tell what came out."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from genlib.cli import sweep as command
from genlib.cli import train
from genlib.runs import launch, queue
from genlib.runs.directory import RESUMABLE, Run
from genlib.runs.events import fold
from genlib.runs.search import Range, Search, needed, span
from genlib.runs.sweep import OPEN, SweepSpec
from genlib.settings import Event

AT_ONCE = 2  # runs of a cluster at a time unless --max says more: each result guides the next


def start(options: argparse.Namespace) -> int:
    """``sweep FAMILY --search N --set beta=0.1..10:log``: a new search."""
    needed()
    if options.search < 2:
        raise ValueError(f"--search must be at least 2, got {options.search}")
    if options.leave or options.seeds != 1:
        raise ValueError("a search is led by this command: leave out --leave and --seeds")
    given = given_by(options)
    ranges, fixed = ranges_of(options.family, given)
    dataset = train.dataset_of(options)
    one = SweepSpec(
        command.name_of(options, ranges),
        options.family,
        {name: [given[name]] for name in ranges},
        fixed=fixed,
        dataset=dataset,
        launcher=launch.chosen(options.on),
        search=options.search,
        metric=options.metric,
        highest=options.highest,
    )
    launch.launcher(one.launcher).check(launch.options(one.launcher, jobs(options)))
    one.save()
    print(f"search {one.name}: {options.search} runs", file=sys.stderr)
    return lead(one, options)


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


def jobs(options: argparse.Namespace) -> dict[str, str]:
    """What is asked of the launcher."""
    return train.pairs(options.job, "--job")


def resume(one: SweepSpec, options: argparse.Namespace) -> int:
    """``sweep --resume NAME`` of a search: interrupted runs go on, then the rest is sampled."""
    needed()
    for run in one.members():
        if run.state in RESUMABLE and run.id not in one.pruned:
            queue.resume_run(run, limited=False)
    return lead(one, options)


def lead(one: SweepSpec, options: argparse.Namespace) -> int:
    """Keep enough runs at work until all trials have ended; Ctrl-C asks what to do with them."""
    ranges, _ = ranges_of(one.family, {name: values[0] for name, values in one.varied.items()})
    leader = Leader(Search(one, ranges), options)
    watch = command.Watch(one)
    try:
        while leader.step():
            watch.one = leader.one
            watch.look()
            time.sleep(command.LOOK_S)
        watch.look()
    except KeyboardInterrupt:
        return command.interrupted(leader.one)
    return command.ended(leader.one)


class Leader:
    """Between Optuna, which samples, and the queue, which trains."""

    def __init__(self, search: Search, options: argparse.Namespace) -> None:
        self.search, self.options = search, options
        self.one = search.one
        at_once = queue.max_runs() if self.one.launcher == launch.HERE else AT_ONCE
        self.at_once = options.max or at_once
        if options.max and self.one.launcher == launch.HERE:
            os.environ["GENLIB_MAX_RUNS"] = str(options.max)

    def step(self) -> bool:
        """Hear what the runs say, start new ones; returns whether any is left."""
        members = self.one.members()
        for run in members:
            self._hear(run)
        working = [run for run in members if run.state in OPEN]
        room = min(self.at_once - len(working), self.one.search - len(self.one.trials))
        for _ in range(max(0, room)):
            self._begin()
        return bool(working) or room > 0

    def _begin(self) -> None:
        number, chosen = self.search.ask()
        texts = {**self.one.fixed, **chosen}
        model, settings = train.settings_of(self.one.family, texts)
        spec = train.checked(self.one.family, self.one.dataset, model, settings, "")
        (run,) = queue.start_all(
            [replace(spec, sweep=self.one.name)],
            on=self.one.launcher,
            options=jobs(self.options),
            limited=False,
        )
        self.one = replace(self.one, trials={**self.one.trials, run.id: number})
        self.one.save()

    def _hear(self, run: Run) -> None:
        number = self.one.trials.get(run.id)
        if number is None or not self.search.is_open(number):
            return
        epochs = self._epochs(run)
        hopeless = [self.search.report(number, e.epoch, e.metrics[self.one.metric]) for e in epochs]
        state = run.state
        if state in OPEN:
            if any(hopeless[-1:]):
                queue.stop(run)
                self.one = replace(self.one, pruned=[*self.one.pruned, run.id])
                self.one.save()
                self.search.tell(number, None, pruned=True)
        elif state == "finished" and epochs:
            self.search.tell(number, epochs[-1].metrics[self.one.metric])
        elif state == "failed":
            self.search.tell(number, None)

    def _epochs(self, run: Run) -> Sequence[Event]:
        """The run's complete epochs; ValueError where they don't have the metric."""
        epochs = [event for event in fold(run.events()[0]) if event.kind == "epoch"]
        if epochs and self.one.metric not in epochs[0].metrics:
            known = ", ".join(name for name in epochs[0].metrics if "/" in name)
            queue.stop(run)
            raise ValueError(f"--metric must be one of {known}, got {self.one.metric!r}")
        return epochs
