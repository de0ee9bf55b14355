"""A bounded number of things that run at once, over all sessions of the app; others take turns.

People take turns, not their tabs: among those that wait, the next is one of the person who was
served longest ago. A turn lasts TURN_S, less where so many people wait that a round would take
longer than ROUND_S, and always at least one step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

TURN_S = 0.25  # seconds one runs while others wait; short, so that pictures keep moving
ROUND_S = 4.0  # seconds until everybody who waits has had a turn, steps being short


class Runs(Protocol):
    """Something that can be started and knows whether it is still wanted."""

    owner: str  # whose it is; "" when that isn't known, and then it is somebody else's

    def wanted(self) -> bool:
        """Whether somebody wants it to run and is there to see it."""

    def spawn(self) -> None:
        """Start running; it calls ``Pool.leave`` when it ends."""


@dataclass(frozen=True)
class Company:
    """With whom one takes turns: how many of the same person's, how many other people."""

    own: int = 0
    people: int = 0


class Pool:
    """A bounded number of running things, the others in turns."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[Runs, float] = {}  # since when
        self._waiting: list[Runs] = []
        self._served: dict[Hashable, int] = {}  # person -> number of the last turn
        self._turns = 0

    def enter(self, one: Runs) -> None:
        """Run now, or wait for a turn."""
        with self._lock:
            if one not in self._running and one not in self._waiting:
                self._waiting.append(one)
        self._fill()

    def leave(self, one: Runs, again: bool = False) -> None:
        """Give the place to the next one; with ``again``, wait for another turn."""
        with self._lock:
            self._running.pop(one, None)
            if one in self._waiting:
                self._waiting.remove(one)
            if again:
                self._waiting.append(one)
        self._fill()

    def withdraw(self, one: Runs) -> None:
        """Wait no longer; one that runs leaves by itself, when it sees that it is not wanted."""
        with self._lock:
            if one in self._waiting:
                self._waiting.remove(one)

    def position(self, one: Runs) -> int:
        """How many turns until its own, at the latest; 0 when it does not wait."""
        with self._lock:
            return self._waiting.index(one) + 1 if one in self._waiting else 0

    def is_over(self, one: Runs) -> bool:
        """Whether the turn of one that runs is over: others wait, and it had its time."""
        with self._lock:
            since = self._running.get(one)
            if since is None or not self._waiting:
                return False
            turn = min(TURN_S, ROUND_S * max(1, self.limit) / len(self._waiting))
            return self._clock() - since >= turn

    def company(self, one: Runs) -> Company:
        """With whom it takes turns; no one while there is a place for each."""
        with self._lock:
            others = [o for o in (*self._running, *self._waiting) if o is not one and o.wanted()]
        if len(others) < self.limit:
            return Company()
        mine = [o for o in others if _person(o) == _person(one)]
        return Company(len(mine), len({_person(o) for o in others} - {_person(one)}))

    def share(self, one: Runs) -> float:
        """The part of the time that it runs, in (0, 1]: people share alike, then their tabs."""
        company = self.company(one)
        return min(1.0, self.limit / ((1 + company.people) * (1 + company.own)))

    def _fill(self) -> None:
        while True:
            with self._lock:
                self._waiting = [one for one in self._waiting if one.wanted()]
                if len(self._running) >= self.limit or not self._waiting:
                    return
                one = min(self._waiting, key=lambda o: self._served.get(_person(o), 0))
                self._waiting.remove(one)
                self._turns += 1
                present = {_person(o) for o in (one, *self._waiting, *self._running)}
                self._served = {p: n for p, n in self._served.items() if p in present}
                self._served[_person(one)] = self._turns
                self._running[one] = self._clock()
            one.spawn()


def _person(one: Runs) -> Hashable:
    return one.owner or id(one)
