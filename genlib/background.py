"""Threads that compute behind the pages: each of them ends before the process does.

Python stops daemon threads wherever they are when the process ends, and inside torch, openTSNE or
scikit-learn that aborts the whole process ("terminate called without an active exception"). So
threads are started here only, ask ``ending`` between their steps, and the end waits for them.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable

END_S = 10.0  # seconds that the end of the process waits for threads to end
NICE = 10  # of threads that may wait for the pages

ending = threading.Event()  # set when the process is about to end; threads then stop by themselves
_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def start(work: Callable[[], None], name: str, *, polite: bool = True) -> threading.Thread:
    """Run ``work`` in a thread; it has to return soon after ``ending`` is set.

    polite: give way to the pages, where the system lets a thread have a priority of its own.
    """

    def run() -> None:
        if polite and sys.platform == "linux":  # there, and only there, a thread can have its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        if not ending.is_set():
            work()

    # A daemon: one that doesn't end in time must not keep the process alive.
    thread = threading.Thread(target=run, name=name, daemon=True)
    _threads.add(thread)
    thread.start()
    return thread


@atexit.register
def end_all() -> None:
    """Ask every thread to end, and wait until they have, at most END_S."""
    ending.set()
    until = time.monotonic() + END_S
    for thread in list(_threads):
        thread.join(max(0.0, until - time.monotonic()))
