"""Work that goes on in a thread while somebody looks at it, and the places for all of it."""

from __future__ import annotations

import os
import threading
import time
from typing import ClassVar

import torch

from genlib import background
from genlib.background import Places

TURN_S = 0.25  # seconds one runs while others wait; short, so that pictures keep moving
ROUND_S = 4.0  # seconds until everyone who waits has had a turn, steps being short
# A core stays free for the pages.
PLACES = Places(max(1, (os.cpu_count() or 2) - 1), TURN_S, ROUND_S, polite=False)


class Attended:
    """Runs while it is asked for, in turns with others; subclasses say what by ``go_on``."""

    gone_s: ClassVar[float] = 4.0  # without a question, after which the browser counts as gone

    def __init__(self, places: Places, owner: str = "") -> None:
        """``owner`` names the person it belongs to, the same in each of their tabs."""
        self._places, self.owner = places, owner
        self.lock = threading.Lock()  # held during a step, and while something else changes
        self._resting = False  # between two steps, without a place
        self.running = False  # what the person asked for
        self.error = ""
        self._beat = time.monotonic()

    def beat(self) -> None:
        """Somebody looks: go on if that was wanted."""
        self._beat = time.monotonic()
        if self.running and not self._resting:
            self._places.enter(self)

    def waiting(self) -> int:
        """Place in the queue of those that want to run; 0 if it runs or rests."""
        return self._places.position(self)

    def company(self) -> str:
        """With whom it takes turns, in a few words; "" when it has a place of its own."""
        found = self._places.company(self)
        parts = [
            "your other tab" if found.own == 1 else f"{found.own} other tabs of yours",
            "another visitor" if found.people == 1 else f"{found.people} other visitors",
        ]
        there = [part for part, n in zip(parts, (found.own, found.people), strict=True) if n]
        return "taking turns with " + " and ".join(there) if there else ""

    def wanted(self) -> bool:
        """Whether somebody wants this to run and is there to see it."""
        if background.ending.is_set():
            return False
        return self.running and time.monotonic() - self._beat < self.gone_s

    def begin_turn(self) -> None:
        """Called when there is a place."""
        name = type(self).__name__.lower()
        background.start(self._run, name, polite=self._places.polite)

    def close(self) -> None:
        """Stop for good."""
        self.running = False
        self._places.withdraw(self)

    def _run(self) -> None:
        """Make steps until no one wants them, the turn is over or it rests; then give way."""
        # A second thread of arithmetic waits at barriers for a core that the browser or another
        # session uses: small networks then make 10 steps a second instead of 200.
        torch.set_num_threads(1)
        again = False
        try:
            while self.wanted() and not (again or self._resting):
                with self.lock:
                    if self.running:  # it may have been paused while this waited for the lock
                        self.go_on()
                # A moment for the threads that serve pages, and for a knob to take the lock.
                time.sleep(0.002)
                again = not self._resting and self._places.is_over(self)
        finally:
            self._places.leave(self, again=again and self.wanted())

    def go_on(self) -> None:
        """Make one step, or as many as fit in a moment; called with the lock held."""
        raise NotImplementedError
