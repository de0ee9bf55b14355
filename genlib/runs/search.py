"""Search: sample settings one after the other, and give up those that promise nothing.

Optuna samples and judges (Akiba et al. 2019, arXiv:1907.10902); it never trains. ``ask`` makes a
trial, a run trains it, its epochs are reported, and ``tell`` gives the result back. What was tried
is kept in ``trials.log``, a journal file in the sweep's directory, so that a search can go on.

Samples: tree-structured Parzen estimators (Bergstra et al. 2011). A run is given up when its metric
is worse than the median of the earlier runs at the same epoch (``PRUNING``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.runs.launch import LaunchError
from genlib.runs.sweep import SweepSpec

if TYPE_CHECKING:
    from optuna import Study, Trial

FIRST = 5  # runs that are never given up: there is nothing to compare them with
WARM_UP = 1  # epochs after which a run may be given up
LOG = ":log"


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

    def ask(self) -> tuple[int, dict[str, str]]:
        """A new trial's number and the settings it tries."""
        trial = self.study.ask()
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
