"""Work that goes on in a thread while somebody looks at it, and one pool for all of it."""

from __future__ import annotations

import os
import time
from typing import ClassVar

from genlib import background
from genlib.explore.pool import Pool

POOL = Pool(max(1, (os.cpu_count() or 2) - 1))  # a core stays free for the pages


class Attended:
    """Runs while it is asked for, in turns with others; subclasses say what by ``_run``."""

    gone_s: ClassVar[float] = 4.0  # without a question, after which the browser counts as gone

    def __init__(self, pool: Pool, owner: str = "") -> None:
        """``owner`` names the person it belongs to, the same in all of their tabs."""
        self._pool, self.owner = pool, owner
        self._resting = False  # between two steps, without a place in the pool
        self.running = False  # what the person asked for
        self.error = ""
        self._beat = time.monotonic()

    def beat(self) -> None:
        """Somebody looks: go on if that was wanted."""
        self._beat = time.monotonic()
        if self.running and not self._resting:
            self._pool.enter(self)

    def waiting(self) -> int:
        """Place in the queue of those that want to run; 0 if it runs or rests."""
        return self._pool.position(self)

    def company(self) -> str:
        """With whom it takes turns, in a few words; "" when it has a place of its own."""
        found = self._pool.company(self)
        parts = [
            "your other tab" if found.own == 1 else f"{found.own} other tabs of yours",
            "another visitor" if found.people == 1 else f"{found.people} other visitors",
        ]
        there = [part for part, n in zip(parts, (found.own, found.people), strict=True) if n]
        return "in turns with " + " and ".join(there) if there else ""

    def wanted(self) -> bool:
        """Whether somebody wants this to run and is there to see it."""
        if background.ending.is_set():
            return False
        return self.running and time.monotonic() - self._beat < self.gone_s

    def spawn(self) -> None:
        """Called by the pool when there is a place."""
        name = type(self).__name__.lower()
        background.start(self._run, name, polite=False)

    def close(self) -> None:
        """Stop for good."""
        self.running = False
        self._pool.withdraw(self)

    def _run(self) -> None:
        """Work as long as it is ``wanted`` and not ``Pool.is_over``, then ``Pool.leave``."""
        raise NotImplementedError
