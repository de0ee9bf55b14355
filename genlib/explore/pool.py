"""A bounded number of things that run at once, over all sessions of the app; others queue."""

from __future__ import annotations

import threading
from collections import deque
from typing import Protocol


class Runs(Protocol):
    """Something that can be started and knows whether it is still wanted."""

    def wanted(self) -> bool:
        """Whether somebody wants it to run and is there to see it."""

    def spawn(self) -> None:
        """Start running; it calls ``Pool.leave`` when it ends."""


class Pool:
    """A bounded number of running things, the others in a queue."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._running: set[Runs] = set()
        self._waiting: deque[Runs] = deque()

    def enter(self, one: Runs) -> None:
        """Run now, or wait in the queue."""
        with self._lock:
            if one not in self._running and one not in self._waiting:
                self._waiting.append(one)
        self._fill()

    def leave(self, one: Runs, again: bool = False) -> None:
        """Give the place to the next one; with ``again``, wait at the end of the queue."""
        with self._lock:
            self._running.discard(one)
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
        """Place in the queue, 1 is next; 0 when it does not wait."""
        with self._lock:
            return self._waiting.index(one) + 1 if one in self._waiting else 0

    def busy(self) -> bool:
        """Whether anybody waits."""
        with self._lock:
            return bool(self._waiting)

    def _fill(self) -> None:
        while True:
            with self._lock:
                if len(self._running) >= self.limit or not self._waiting:
                    return
                one = self._waiting.popleft()
                if not one.wanted():
                    continue
                self._running.add(one)
            one.spawn()
