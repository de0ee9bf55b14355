"""Start, find, steer and delete runs; every function here works on directories only.

A run is a process of its own (``python -m genlib train --run DIR``), so that it survives the app,
and so that a crash harms nothing else. Runs beyond ``$GENLIB_MAX_RUNS`` (default 1) wait in a
queue. The queue has no owner: whoever starts, ends or watches a run calls ``advance``, under a file
lock, and the first in line is started. Runs that a cluster is to train go to its own queue
(genlib/runs/clusters.py).
"""

import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from genlib import environment
from genlib.environment import runs_dir
from genlib.files import exclusive, full_disk_said, is_held, move, sweep, sync, take, write_json
from genlib.runs import clusters, index, launch
from genlib.runs.directory import (
    ACTIVE,
    LR_RANGE,
    RESUMABLE,
    Run,
    RunSpec,
    is_shipped,
    refuse_shipped,
)
from genlib.runs.launch import HERE
from genlib.runs.launchers import here
from genlib.settings import Control
from genlib.store import checkpoint

TRASH = ".trash"
TRASH_SIZE = 20


def folder() -> Path:
    """Where runs live: ``$GENLIB_RUNS`` or ``runs/`` next to the package."""
    return runs_dir()


def start(spec: RunSpec, owner: str = "", on: str = "") -> Run:
    """Write a new run's directory, queue it, and start whatever there is room for.

    See ``start_all``.
    """
    return start_all([spec], owner, on)[0]


def start_all(
    specs: Sequence[RunSpec],
    owner: str = "",
    on: str = "",
    options: Mapping[str, str] | None = None,
    *,
    limited: bool = True,
    at_once: int = 0,
) -> list[Run]:
    """Write the directories of new runs, queue them, and start whatever there is room for.

    owner: the visitor who starts them; "" is one whose runs aren't counted. on, options: the
    launcher and what is asked of it, see ``launch.chosen`` and ``launch.options``. limited: whether
    the queue's length counts. at_once: how many runs of one sweep a cluster gets at a time, 0 for
    all. Raises LimitError where the queue or the disk is full, or the owner has too many unfinished
    runs, and LaunchError where the launcher can't be asked; then nothing was written.
    """
    name = launch.chosen(on)
    wish = launch.Launch(name, options=launch.options(name, options).to_dict(), at_once=at_once)
    launch.launcher(name).check(launch.options(name, options))
    more = len(specs) if limited else 0
    check_room(more, owner)
    with exclusive(folder() / ".queue.lock"):
        check_room(more, owner)  # still: of those who ask for the last place, one gets it
        runs = []
        for spec in specs:
            run = create(spec)
            run.set_owner(owner)
            launch.remember(run, wish)
            run.set_status("queued", time.time())
            runs.append(run)
    advance(now=True)
    return runs


def check_room(more: int = 1, owner: str = "") -> None:
    """Raise LimitError unless ``more`` runs may be queued: room to wait, on the disk, and among
    the unfinished runs of their owner."""
    if owner:
        environment.check_own_runs(len(unfinished(owner)), more)
    if more:
        idle = max(0, max_runs() - working())
        environment.check_queue(len(queue()), max(0, more - idle))
    environment.check_disk(folder())


def unfinished(owner: str) -> list[Run]:
    """The runs of an owner that wait or are at work."""
    found = index.entries(folder())
    names = [name for name, entry in found.items() if entry.state in ("queued", *ACTIVE)]
    mine = [run for name in names if (run := Run(folder() / name)).owner == owner]
    return [run for run in mine if run.state in ("queued", *ACTIVE)]


def at_work_on(spec: RunSpec) -> Run | None:
    """The run that waits or is at work and was asked for the same training, if there is one."""
    for run in listing():
        if run.state in ("queued", *ACTIVE) and run.spec.same_as(spec):
            return run
    return None


def create(spec: RunSpec, path: Path | None = None) -> Run:
    """Make the directory of a run that no process works on yet.

    Without ``path`` it gets the family's name and the next free number. Raises ValueError when
    ``path`` already holds something, and for the name of a shipped checkpoint.
    """
    spec = RunSpec.from_dict({**spec.to_dict(), "created": time.time()})
    refuse_shipped(spec.name or (path.name if path else ""))
    if path is None:
        with full_disk_said(folder()):
            path = _numbered(folder(), re.sub(r"[^a-z0-9_]+", "_", spec.family.lower()))
    else:
        new_directory(path)
        if any(path.iterdir()):
            raise ValueError(f"{path} is not empty; name a new directory, or go on with --resume.")
    sync(path.parent)
    try:
        return _write_new(spec, path)
    except BaseException:  # no room on the disk, say: nothing is left behind
        shutil.rmtree(path, ignore_errors=True)
        raise


def _write_new(spec: RunSpec, path: Path) -> Run:
    write_json(path / "run.json", spec.to_dict())
    run = Run(path)
    run.set_control(Control())
    run.set_status("stopped", time.time())
    return run


def new_directory(path: Path) -> None:
    """Make a directory, unless it is there; ValueError in a sentence where a file is in the way."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"{path} can't be a directory: there is a file of that name.") from None


def discard_unstarted(run: Run) -> bool:
    """Remove the directory of a run that failed before its first step; whether it was removed."""
    if run.state != "failed" or any(r.kind in ("step", "epoch") for r in run.events()[0]):
        return False
    shutil.rmtree(run.path)
    return True


def _numbered(parent: Path, stem: str) -> Path:
    """Create ``stem-N`` with the next number: never one in the trash, so that links stay true, and
    never one that makes the name of a shipped checkpoint."""
    number = 0
    while True:
        used = [
            int(found.group(1))
            for path in (*parent.glob(f"{stem}-*"), *(parent / TRASH).glob(f"{stem}-*"))
            if (found := re.fullmatch(rf"{stem}-(\d+)", path.name))
        ]
        number = max(number, *used, 0) + 1
        path = parent / f"{stem}-{number}"
        if is_shipped(path.name):
            continue
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            continue  # another session was faster; take the next number


def listing() -> list[Run]:
    """All runs, newest first. A directory that does not hold a sound one is left out, and the log
    says once why."""
    return _listing(folder())


def _listing(where: Path) -> list[Run]:
    found = index.entries(where)
    names = sorted(found, key=lambda name: found[name].created, reverse=True)
    return [Run(where / name) for name in names]


def get(run_id: str) -> Run | None:
    """The run of this id, or None (it may have been deleted, or the link is not one of ours)."""
    return Run(folder() / run_id) if run_id in index.entries(folder()) else None


# ------------------------------------------------------------------------------- the queue


def max_runs() -> int:
    """How many runs train at once: ``$GENLIB_MAX_RUNS``, else 1."""
    text = os.environ.get("GENLIB_MAX_RUNS", "1")
    return max(1, int(text)) if text.isdecimal() else 1


def working() -> int:
    """How many training processes of this machine's queue live, also those of directories that
    ``listing`` leaves out."""
    locks = (lock for lock in folder().glob("*/lock") if is_held(lock))
    return sum(launch.remembered(Run(lock.parent)).launcher == HERE for lock in locks)


def queue() -> list[Run]:
    """The waiting runs, first in line first."""
    found = index.entries(folder())
    names = sorted(found, key=lambda name: found[name].since)
    waiting = [Run(folder() / name) for name in names if found[name].state == "queued"]
    return [run for run in waiting if run.state == "queued"]  # the run's own word counts


def place(run: Run) -> int:
    """Place in the queue of the run's launcher, 1 is next; 0 when the run does not wait."""
    own = launch.remembered(run).launcher
    waiting = [other for other in queue() if launch.remembered(other).launcher == own]
    return next((n for n, other in enumerate(waiting, 1) if other.id == run.id), 0)


def advance(now: bool = False) -> list[Run]:
    """Start waiting runs while there is room; returns those started. Safe to call at any time.

    now: ask clusters even where they were asked a moment ago.
    """
    started: list[Run] = []
    with exclusive(folder() / ".queue.lock"):
        waiting = [run for run in queue() if launch.remembered(run).launcher == HERE]
        room = max_runs() - working() if waiting else 0
        for run in waiting:
            if len(started) < room:
                started += here.start(run)
    return started + clusters.advance(folder(), now)


# ---------------------------------------------------------------------------- steer a run


def pause(run: Run) -> None:
    """Ask the run to hold after the step under way; its process stays, and its memory."""
    run.ask(pause=True)


def proceed(run: Run) -> None:
    """Let a paused run go on."""
    run.ask(pause=False)


def stop(run: Run) -> None:
    """Ask the run to end after the step under way; what the last complete epoch gave is kept."""
    with exclusive(folder() / ".queue.lock"):
        state = run.state
        waits = state == "queued" or (state not in ACTIVE and clusters.goes_on(run, state))
        if waits:
            run.set_status("stopped", time.time())
        run.ask(stop=True)
    if waits:
        clusters.withdraw(run)


def set_lr(run: Run, lr: float) -> None:
    """Change the learning rate from the next step on; raises ValueError out of range."""
    low, high = LR_RANGE
    if not low <= lr <= high:
        raise ValueError(f"lr must be between {low:g} and {high:g}, got {lr:g}")
    run.ask(lr=lr)


def resume_run(run: Run, owner: str = "", *, limited: bool = True) -> None:
    """Queue a stopped, failed or lost run again: it goes on from its last complete epoch.

    owner: the visitor who asks for it; it counts as theirs from now on. limited: whether the
    queue's length counts. Raises LimitError and LaunchError as ``start_all`` does.
    """
    launched = launch.remembered(run)
    engine = launch.launcher(launched.launcher)
    engine.check(engine.Options.from_dict(launched.options))
    check_room(int(limited), owner)
    with exclusive(folder() / ".queue.lock"):
        if run.state not in RESUMABLE:
            raise ValueError(f"{run.name} is {run.state}; only an interrupted run can be resumed.")
        check_room(int(limited), owner)  # still, as in ``start_all``
        run.set_owner(owner)
        run.ask(pause=False, stop=False)
        launch.remember(run, replace(launched, job="", tries=0))
        run.set_status("queued", time.time())
    advance(now=True)


def rename(run: Run, name: str) -> None:
    """Give the run and its checkpoint a name (1 to 60 characters); its id and its links stay."""
    name = check_name(" ".join(name.split()))
    with exclusive(folder() / ".queue.lock"):  # nothing is started meanwhile
        spec = RunSpec.from_dict(replace(run.spec, name=name).to_dict())
        write_json(run.path / "run.json", spec.to_dict())
        if not run.model or run.beats:
            return
        lock = take(run.lock)
        if lock is None:  # a run at work writes the new name with its next epoch
            return
        try:
            checkpoint.retitle(run.model, name)
        finally:
            os.close(lock)


def check_name(name: str) -> str:
    """The name of a run, returned as it is.

    Raises ValueError unless it has 1 to 60 printable characters and no shipped checkpoint has it.
    """
    if not 1 <= len(name) <= 60:
        raise ValueError(f"name must have 1 to 60 characters, got {len(name)}")
    if not name.isprintable():
        raise ValueError(f"name must have printable characters only, got {name!r}")
    refuse_shipped(name)
    return name


def tidy() -> None:
    """Remove what killed writers left in the runs' directories, the trash and the uploads."""
    left: set[Path] = {folder(), *(path for path in folder().glob("*/") if path.is_dir())}
    left |= {path for run in list(left) for path in run.glob("*/") if path.is_dir()}
    for path in left:
        with suppress(OSError):  # deleted meanwhile
            sweep(path)


# --------------------------------------------------------------------------- delete, undo


def delete(run: Run) -> None:
    """Move the run to the trash, from where ``undo_delete`` brings it back.

    Raises ValueError while the run is at work. The trash keeps the last 20.
    """
    with exclusive(folder() / ".queue.lock"):
        if run.state in ACTIVE or is_held(run.lock):
            raise ValueError(f"{run.name} is still at work; stop it first.")
        if run.state == "queued":
            clusters.withdraw(run)
        to_trash(run.path)


def to_trash(path: Path) -> Path:
    """Move a run's directory or an uploaded file to the trash; returns its place there."""
    trash = folder() / TRASH
    trash.mkdir(parents=True, exist_ok=True)
    place_there = trash / path.name
    _remove(place_there)
    move(path, place_there)
    os.utime(place_there, follow_symlinks=False)
    for old in sorted(trash.iterdir(), key=lambda p: p.lstat().st_mtime)[:-TRASH_SIZE]:
        _remove(old)
    return place_there


def _remove(path: Path) -> None:
    """Remove a directory, a file, or a link, but never what a link leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def trashed() -> list[Run]:
    """The runs that ``undo_delete`` can bring back, newest first."""
    return _listing(folder() / TRASH)


def undo_delete(run_id: str) -> Run:
    """Bring a deleted run back; raises ValueError when the trash no longer has it."""
    place_there = folder() / TRASH / run_id
    if Path(run_id).name != run_id or not (place_there / "run.json").exists():
        raise ValueError(f"{run_id} is no longer in the trash, so it cannot be brought back.")
    move(place_there, folder() / run_id)
    return Run(folder() / run_id)
