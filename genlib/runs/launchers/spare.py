"""A process that has imported what a training needs, and waits for a run: seconds saved at Start.

A run that is given to it is a run like any other: a process of its own with the run's directory,
lock and log. Only the imports happened before. ``here`` starts a new process where none waits.

::

    server                                   genlib train --spare FD
      keep()      "\\n" every few seconds ->   waits; ends PATIENCE_S after the last one
      give(run)   a line of JSON, and with it
                  the lock and the log    ->   answers "!" and trains

There is at most one. It ends with the server, whose end of the socket is closed then, and when
no one has the Train page open any more.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

BEAT_S = 15.0  # between two calls of ``keep``
PATIENCE_S = 40.0  # without one, after which the process ends
ANSWER_S = 2.0  # for a process that is ready; a new one starts in this time
# Variables that change what a training does. Others come and go with what the server imports:
# scikit-learn sets KMP_INIT_AT_FORK, torchvision TORCHINDUCTOR_CACHE_DIR.
SETTINGS = ("GENLIB_", "OMP_", "CUDA_", "PYTHON", "TORCH_", "RAY_", "HOME")
READY, TAKEN = b"r", b"!"
UNUSED = 75  # exit code of a process that got no run
MOST_LINE = 65_536  # bytes

_lock = threading.Lock()  # of what waits
_waits: _Spare | None = None


def _settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(SETTINGS)}


class _Spare:
    """The process that waits, and the server's end of the socket to it."""

    def __init__(self, command: list[str], env: dict[str, str], patience_s: float) -> None:
        self.settings = _settings()
        self.socket, theirs = socket.socketpair()
        try:
            self.process = subprocess.Popen(
                [*command, "--spare", str(theirs.fileno()), "--patience", f"{patience_s:g}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env=env,
            )
        except OSError:
            self.socket.close()
            raise
        finally:
            theirs.close()
        self.ready = False

    def beat(self) -> bool:
        """Say that it is still wanted; whether it is there to hear it."""
        try:
            self.socket.sendall(b"\n")
        except OSError:
            return False
        return self.process.poll() is None

    def is_ready(self) -> bool:
        """Whether its imports are done and the settings are still those it began with."""
        self.socket.settimeout(0)
        with suppress(OSError):
            self.ready = self.ready or self.socket.recv(1) == READY
        alive = self.process.poll() is None
        return self.ready and alive and self.settings == _settings()

    def give(self, run: Path, lock: int, log: int) -> bool:
        """Hand over a run with its lock and its log; whether it was taken."""
        try:
            self.socket.settimeout(ANSWER_S)
            socket.send_fds(self.socket, [json.dumps(str(run)).encode() + b"\n"], [lock, log])
            return self.socket.recv(1) == TAKEN
        except OSError:
            return False


def keep(command: list[str], env: dict[str, str], patience_s: float = PATIENCE_S) -> None:
    """See to it that a process waits, for as long as this is called every few seconds."""
    global _waits
    with _lock:
        if _waits is not None and _waits.settings == _settings() and _waits.beat():
            return
        _drop()
        with suppress(OSError):  # no memory for a process: the run says so when it is started
            _waits = _Spare(command, env, patience_s)


def is_ready() -> bool:
    """Whether a run that is started now needs to import nothing."""
    with _lock:
        return _waits is not None and _waits.is_ready()


def give(run: Path, lock: int, log: int) -> bool:
    """Let the process that waits train a run, whose lock and log are open here; False if none can.

    A process that doesn't answer is ended, so that no two work on one run.
    """
    global _waits
    with _lock:
        if _waits is None or not _waits.is_ready():
            return False
        taken = _waits.give(run, lock, log)
        if taken:
            _waits.socket.close()
            _waits = None
        else:
            _drop()
        return taken


def drop() -> None:
    """End the process that waits, if there is one."""
    with _lock:
        _drop()


def _drop() -> None:
    global _waits
    if _waits is not None:
        _waits.socket.close()
        if _waits.process.poll() is None:  # it holds nothing that could be lost
            os.killpg(_waits.process.pid, signal.SIGKILL)
            _waits.process.wait()
    _waits = None


# ----------------------------------------------------------------------- in the process that waits


def receive(descriptor: int, patience_s: float) -> Path | None:
    """Wait for a run; None when it is no longer wanted. Its log takes the place of the outputs.

    The lock stays open: as long as this process lives, the run is at work.
    """
    with socket.socket(fileno=descriptor) as server:
        server.settimeout(patience_s)
        line, held = b"", list[int]()
        try:
            server.sendall(READY)
            while b"\n" not in line:
                data, got, _, _ = socket.recv_fds(server, MOST_LINE, 2)
                held += got
                if not data:
                    return None  # the server is gone
                line = (line + data).lstrip(b"\n")
            _, log = held
            server.sendall(TAKEN)
        except OSError:  # no one wants it any more
            return None
    for output in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(log, output)
    os.close(log)
    return Path(json.loads(line))
