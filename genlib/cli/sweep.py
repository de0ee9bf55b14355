"""``genlib sweep``: many trainings under one name, here or on a cluster, and their table."""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from genlib.cli import train
from genlib.runs import clusters, launch, queue, sweep
from genlib.runs.directory import RESUMABLE, Run, RunSpec
from genlib.runs.launch import LAUNCHERS
from genlib.runs.sweep import OPEN, Outcome, SweepSpec
from genlib.settings import shown

LOOK_S = 0.5  # seconds between two looks at the runs
MOST_COLUMNS = 3  # metrics in the table on the screen; the CSV has all


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``sweep``."""
    train.add_subject(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=V1,V2",
        help="a setting and its values, separated by commas (by semicolons if a value contains "
        "commas); in a search LOW..HIGH or LOW..HIGH:log; repeatable",
    )
    parser.add_argument("--seeds", type=int, default=1, help="runs of each setting (default: 1)")
    parser.add_argument("--name", default="", help="name of the sweep")
    parser.add_argument("--on", choices=list(LAUNCHERS), default="", help="where runs are started")
    parser.add_argument(
        "--max", type=int, default=0, help="number of runs that train at the same time"
    )
    parser.add_argument(
        "--job", action="append", default=[], metavar="FIELD=VALUE", help="cpus=2, gpus=0.25, ..."
    )
    parser.add_argument("--leave", action="store_true", help="start the sweep and return at once")
    parser.add_argument("--search", type=int, default=0, metavar="N", help="sample N settings")
    parser.add_argument(
        "--metric",
        default="test/loss",
        help="metric that decides which run is best (default: test/loss)",
    )
    parser.add_argument(
        "--highest", action="store_true", help="the highest value is best, not the lowest"
    )
    parser.add_argument("--resume", metavar="NAME", help="continue a sweep")
    parser.add_argument("--show", metavar="NAME", help="print the table of a sweep")
    parser.add_argument("--stop", metavar="NAME", help="stop a sweep's runs")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    """Start, resume, show or stop a sweep."""
    ways = {"family": start, "resume": resume, "show": show, "stop": stop}
    given = [way for way in ways if getattr(options, way)]
    if len(given) != 1:
        raise ValueError("give either a FAMILY, --resume, --show or --stop NAME, and only one")
    if options.max < 0:
        raise ValueError(f"--max must be at least 1, got {options.max}")
    if not 1 <= options.seeds <= sweep.MOST_RUNS:
        raise ValueError(
            f"--seeds must be between 1 and {sweep.MOST_RUNS:,}, got {shown(options.seeds)}"
        )
    return ways[given[0]](options)


def start(options: argparse.Namespace) -> int:
    """``sweep FAMILY --set beta=1,4``: start the grid, or the search, and follow it."""
    if options.search:
        from genlib.cli.search import start as search

        return search(options)
    made, varied = specs(options)
    launcher, wish = launch.chosen(options.on), train.pairs(options.job, "--job")
    launch.options(launcher, wish)  # a bad one is said before the name is taken
    name = name_of(options, varied)
    one = SweepSpec(name, options.family, varied, options.seeds, launcher, metric=options.metric)
    one = replace(one, highest=options.highest, job=wish, at_once=options.max)
    begin(one, [replace(spec, sweep=name) for spec in made])
    print(f"sweep {name}: {len(made)} runs, {LAUNCHERS[launcher]} each", file=sys.stderr)
    return 0 if options.leave else follow(one)


def specs(options: argparse.Namespace) -> tuple[list[RunSpec], dict[str, list[str]]]:
    """The runs of a grid, and the values of what varies; ValueError says what is wrong."""
    texts = values_of(options.family, train.pairs(options.set))
    if options.epochs is not None:
        texts["epochs"] = [options.epochs]
    first = int(texts.pop("seed", [options.seed or "0"])[0])
    grid = sweep.grid(texts, range(first, first + options.seeds))
    found = [train.settings_of(options.family, one) for one in grid]
    if len(grid) < 2:
        raise ValueError("one run isn't a sweep: give a setting several values, or use train")
    dataset = train.dataset_of(options)
    made = [train.checked(options.family, dataset, model, how, "") for model, how in found]
    return made, {name: values for name, values in texts.items() if len(values) > 1}


def values_of(family: str, given: Mapping[str, str]) -> dict[str, list[str]]:
    """Setting -> its values as text; ``;`` separates them where a value holds commas."""
    from genlib.models import FAMILIES
    from genlib.settings import TrainSettings

    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; choose one of {', '.join(FAMILIES)}")
    specs = {s.name: s for s in [*FAMILIES[family].Config.specs(), *TrainSettings.specs()]}
    found: dict[str, list[str]] = {}
    for name, text in given.items():
        listed = (name in specs and specs[name].kind is tuple) or name == "classes"
        parts = [part.strip() for part in text.split(";" if ";" in text or listed else ",")]
        found[name] = list(dict.fromkeys(part for part in parts if part))
        if not found[name]:
            raise ValueError(f"--set {name}= has no value")
    return found


def name_of(options: argparse.Namespace, varied: Iterable[str]) -> str:
    """The name that was asked for, or one made of the family and what varies."""
    if options.name:
        return sweep.check_name(options.name)
    return sweep.free_name("-".join([options.family, *varied]))


def begin(one: SweepSpec, made: Sequence[RunSpec]) -> list[Run]:
    """Queue the runs of a sweep; its file is there before they are."""
    limit(one)
    most = one.at_once
    with begun(one):
        return queue.start_all(made, on=one.launcher, options=one.job, limited=False, at_once=most)


@contextmanager
def begun(one: SweepSpec) -> Iterator[None]:
    """Write a new sweep's file; if it is refused before it has a run, its name is free again."""
    try:
        one.save()
        yield
    except BaseException:
        if not one.members():
            shutil.rmtree(one.path)
        raise


def limit(one: SweepSpec) -> None:
    """Let as many runs of this machine's queue train at once as the sweep wants."""
    if one.at_once and one.launcher == launch.HERE:
        # A variable, so that the processes that come of it do the same.
        os.environ["GENLIB_MAX_RUNS"] = str(one.at_once)


def resume(options: argparse.Namespace) -> int:
    """``sweep --resume NAME``: go on with what was interrupted, and follow it."""
    one = with_wishes(sweep.load(options.resume), options)
    if one.search:
        from genlib.cli.search import resume as search

        return search(one)
    if not one.members():
        raise ValueError(f"{one.name} has no run left; start it again under another --name")
    limit(one)
    for run in one.members():
        if is_interrupted(run):
            again(one, run)
    return follow(one)


def with_wishes(one: SweepSpec, options: argparse.Namespace) -> SweepSpec:
    """A sweep that goes on: ``--max`` and ``--job`` are as before, unless they are given again."""
    wish = train.pairs(options.job, "--job") or one.job
    launch.options(one.launcher, wish)
    one = replace(one, job=wish, at_once=options.max or one.at_once)
    if one.path.exists():
        one.save()
    return one


def is_interrupted(run: Run) -> bool:
    """Whether a run ended early and no one else is going to start it again."""
    state = run.state
    return state in RESUMABLE and not clusters.goes_on(run, state)


def again(one: SweepSpec, run: Run) -> None:
    """Queue an interrupted run of a sweep, with what the sweep asks of its launcher."""
    launched = launch.remembered(run)
    if launched.launcher == one.launcher and one.job:
        wish = launch.options(one.launcher, one.job).to_dict()
        launched = replace(launched, options=wish)
    launch.remember(run, replace(launched, at_once=one.at_once or launched.at_once))
    queue.resume_run(run, limited=False)


def show(options: argparse.Namespace) -> int:
    """``sweep --show NAME``: the table as it is now."""
    one = sweep.load(options.show)
    report(one)
    return 0


def stop(options: argparse.Namespace) -> int:
    """``sweep --stop NAME``: end its runs after the step under way."""
    one = sweep.load(options.stop)
    stopped = stop_all(one)
    print(f"{stopped} run{'s' * (stopped != 1)} of {one.name} asked to stop")
    return 0


def stop_all(one: SweepSpec) -> int:
    """Stop whatever of a sweep waits or works; returns how many."""
    working = [run for run in one.members() if clusters.goes_on(run, run.state)]
    for run in reversed(working):  # those that wait first, or they would start meanwhile
        queue.stop(run)
    return len(working)


# ------------------------------------------------------------------------------- following it


def follow(one: SweepSpec) -> int:
    """Show the runs until they have ended, then the table; Ctrl-C asks what to do with them."""
    watch = Watch(one)
    try:
        while watch.look():
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        return interrupted(one)
    return ended(one)


def ended(one: SweepSpec) -> int:
    """Print the table; the exit code says whether every run finished or was given up."""
    states = Counter(run.state for run in one.members() if run.id not in one.pruned)
    report(one)
    left = states.total() - states["finished"]
    if left:
        print(f"{left} runs did not finish: genlib sweep --resume {one.name}", file=sys.stderr)
    return int(bool(left))


def interrupted(one: SweepSpec) -> int:
    """Ask whether the runs are to go on; without a terminal they do."""
    answer = ""
    if sys.stdin.isatty():
        try:
            answer = input("\nLeave the runs going (Enter), or stop them (s)? ")
        except (EOFError, KeyboardInterrupt):
            answer = ""
    if answer.strip().lower().startswith("s"):
        stop_all(one)
        said = "Stopped; the last complete epochs are kept."
    else:
        said = f"The runs go on. Stop them: genlib sweep --stop {one.name}."
    print(f"\n{said} Go on: genlib sweep --resume {one.name}", file=sys.stderr)
    return 130


class Watch:
    """The runs of a sweep on the error channel: a table that follows them on a terminal, else one
    line whenever a run begins or ends."""

    def __init__(self, one: SweepSpec) -> None:
        self.one = one
        self.live = sys.stderr.isatty()
        self.said: dict[str, str] = {}  # run -> state
        self.ended: dict[str, str] = {}  # run -> its line, once it has ended
        self.trouble = ""
        self.height = 0  # lines on the screen

    def look(self) -> bool:
        """Show what is new; returns whether any run waits or works."""
        queue.advance()
        runs = self.one.members()
        states = {run.id: run.state for run in runs}
        trouble = next(filter(None, map(clusters.trouble, runs)), "")
        if trouble != self.trouble and trouble:
            print(f"{self._clear()}genlib: {trouble}", file=sys.stderr)
        self.trouble = trouble
        lines = [self._line(run, states[run.id]) for run in runs if self._is_shown(run, states)]
        if self.live:
            self._draw(lines, states)
        else:
            for run, line in zip(runs, lines, strict=True):
                if self.said.get(run.id) != states[run.id] != "queued":
                    print(line, file=sys.stderr, flush=True)
        self.said = states
        return any(clusters.goes_on(run, states[run.id]) for run in runs)

    def _is_shown(self, run: Run, states: Mapping[str, str]) -> bool:
        return not self.live or len(states) <= 30 or states[run.id] not in ("queued", "finished")

    def _line(self, run: Run, state: str) -> str:
        if run.id in self.ended and self.said.get(run.id) == state:
            return self.ended[run.id]
        spec = run.spec
        varied = " ".join(f"{name}={sweep.setting(run, name)}" for name in self.one.varied)
        seed = f"seed={spec.train['seed']}" if self.one.seeds > 1 else ""
        found = sweep.results(run)
        value = (
            f"{self.one.metric} {found[self.one.metric]:.5g}" if self.one.metric in found else ""
        )
        about = "pruned" if run.id in self.one.pruned and state == "stopped" else state
        line = f"{run.id:16} {about:9} {varied} {seed} {value} {run.message[:80]}"
        line = " ".join([line[:26], *line[26:].split()])
        if state not in OPEN:
            self.ended[run.id] = line
        return line

    def _draw(self, lines: Sequence[str], states: Mapping[str, str]) -> None:
        columns, rows = shutil.get_terminal_size()
        counts = Counter(states.values())
        head = ", ".join(f"{n} {state}" for state, n in counts.items())
        shown = [f"{self.one.name}: {len(states)} runs, {head}", *lines[-(rows - 3) :]]
        text = "\n".join(line[: columns - 1] for line in shown)
        print(self._clear() + text, file=sys.stderr, flush=True)
        self.height = len(shown)

    def _clear(self) -> str:
        back = f"\x1b[{self.height}A\x1b[J" if self.live and self.height else ""
        self.height = 0
        return back


# ----------------------------------------------------------------------------------- the table


def report(one: SweepSpec) -> None:
    """Print the table of a sweep and the best of its settings, and write its CSV."""
    members = one.members()
    table = sweep.rows(members, list(one.varied) or None)
    print("\n".join(text(table, one.metric)))
    if (first := sweep.best(table, one.metric, one.highest)) is not None:
        how = ", ".join(f"{name}={value}" for name, value in first.settings.items())
        mean, error, _ = first.metrics[one.metric]
        print(f"best by {one.metric}: {how} with {number(mean, error)} ({first.runs[0].path})")
    print(f"every metric: {sweep.write_table(one, table)}")


def text(table: Sequence[Outcome], metric: str) -> list[str]:
    """The table as aligned lines: settings, runs, the chosen metric first, then the other tests."""
    names = list(table[0].settings) if table else []
    found = sorted(sweep.metrics(table), key=lambda name: name != metric)[:MOST_COLUMNS]
    rows = [[*names, "n", *found]]
    for row in table:
        count = max([n for _, _, n in row.metrics.values()], default=0)
        cells = [number(*row.metrics[m][:2]) if m in row.metrics else "-" for m in found]
        rows.append([*row.settings.values(), str(count), *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def number(mean: float, error: float) -> str:
    """A mean with its error, "105.2 ± 0.31", or the mean alone where there is one run."""
    return f"{mean:.5g}" if math.isnan(error) else f"{mean:.5g} ± {error:.2g}"
