"""Start runs as jobs of a Slurm site, through submitit; several at once become one job array.

A job that is near its time limit, or preempted, stops after the step under way and goes back into
Slurm's queue; there it goes on from its last complete epoch. submitit's ``CommandFunction`` isn't
requeued (facebookincubator/submitit#1732), an object with a ``checkpoint`` method is: ``Work``.

The executor ``local`` of submitit starts the same jobs on this machine, without Slurm: for trying
things out, and for the tests.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from genlib import environment
from genlib.files import end_of
from genlib.runs import launch
from genlib.runs.directory import Run
from genlib.runs.launch import LaunchError
from genlib.settings import Settings, setting

if TYPE_CHECKING:
    from submitit import AutoExecutor
    from submitit.core.utils import DelayedSubmission

FRESH = 5.0  # seconds that an answer of squeue is good for
PATIENCE = 20.0  # seconds for one of Slurm's commands
MOST_TIMEOUTS = 1000  # how often a job may be requeued at its time limit
MOST_LOG = 20_000  # bytes
WARNING_S = 120  # before the time limit: a step and an epoch's files have to fit in
RUNNING = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT")


@dataclass(frozen=True)
class Options(Settings):
    """What one run asks of the site."""

    executor: str = setting("slurm", choices=("slurm", "local"), help="local needs no Slurm.")
    partition: str = setting("", help="Partition; empty means the site's usual one.")
    account: str = setting("", help="Account that pays; empty means the usual one.")
    minutes: int = setting(60, 1, 100_000, "Time limit; a run that needs more is requeued.")
    cpus: int = setting(2, 1, 1024, "Processors for a run.")
    gpus: int = setting(0, 0, 64, "GPUs for a run.")
    memory: int = setting(4, 1, 4096, "GB of memory for a run.")
    at_once: int = setting(100, 1, 10_000, "Runs of one array that work at once.")


class Work:
    """One run as submitit stores it: plain values, so that the node unpickles it without genlib."""

    def __init__(self, path: str, variables: Mapping[str, str]) -> None:
        self.path, self.variables = path, dict(variables)
        self.process = 0

    def __call__(self) -> str:
        """Train; raises RuntimeError when the training fails."""
        command = [sys.executable, "-m", "genlib", "train", "--run", self.path]
        # A session of its own: Slurm signals whole groups, and the run has to hear it from here.
        process = subprocess.Popen(
            command, env={**os.environ, **self.variables}, start_new_session=True
        )
        self.process = process.pid
        code = process.wait()
        if code:
            raise RuntimeError(f"the training of {self.path} ended with code {code}")
        return self.path

    def checkpoint(self) -> DelayedSubmission:
        """Called at the time limit, in the main thread, while it waits for the process."""
        from submitit.helpers import DelayedSubmission

        if self.process:
            os.kill(self.process, signal.SIGTERM)
            ended = os.WEXITED | os.WNOHANG | os.WNOWAIT  # the waiting call above reaps it
            while os.waitid(os.P_PID, self.process, ended) is None:
                time.sleep(0.2)
        return DelayedSubmission(Work(self.path, self.variables))


def start(*runs: Run) -> list[Run]:
    """Submit the runs; those that ask for the same become one array."""
    by_wish: dict[Options, list[Run]] = {}
    for run in runs:
        by_wish.setdefault(_options(run), []).append(run)
    for wished, several in by_wish.items():
        _submit(wished, several)
    return list(runs)


def _options(run: Run) -> Options:
    return Options.from_dict(launch.remembered(run).options)


def check(options: Settings) -> None:
    """Raise LaunchError unless jobs can be submitted from here."""
    if find_spec("submitit") is None:
        raise LaunchError(
            "submitit isn't installed here: pip install 'genlib[slurm]', or start runs with "
            "--on here."
        )
    slurm = cast(Options, options).executor == "slurm"
    if slurm and not (shutil.which("sbatch") and shutil.which("squeue")):
        raise LaunchError(
            "Slurm isn't here: sbatch and squeue were not found. Log in to a machine of the site "
            "that can submit jobs, or start runs with --on here."
        )


def _submit(wished: Options, runs: list[Run]) -> None:
    check(wished)
    import submitit.core.utils

    executor = _executor(wished)
    works = [Work(str(run.path.resolve()), launch.variables()) for run in runs]
    try:
        if len(works) == 1:
            jobs = [executor.submit(works[0])]
        else:
            with executor.batch():
                jobs = [executor.submit(work) for work in works]
        names = [str(job.job_id) for job in jobs]
    except (submitit.core.utils.FailedJobError, subprocess.SubprocessError, OSError) as error:
        raise LaunchError(f"Slurm refused the job: {' '.join(str(error).split())[:300]}") from error
    for run, name in zip(runs, names, strict=True):
        launch.handed_over(run, name)


def _executor(wished: Options) -> AutoExecutor:
    import cloudpickle
    from submitit import AutoExecutor

    # The node then needs no genlib to read the job, only to train.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    executor = AutoExecutor(
        folder() / "%j",
        cluster=wished.executor,
        slurm_max_num_timeout=MOST_TIMEOUTS,
        local_max_num_timeout=MOST_TIMEOUTS,
    )
    executor.update_parameters(
        name="genlib",
        timeout_min=wished.minutes,
        cpus_per_task=wished.cpus,
        gpus_per_node=wished.gpus,
        mem_gb=wished.memory,
        slurm_array_parallelism=wished.at_once,
        slurm_signal_delay_s=min(WARNING_S, 15 * wished.minutes),
        **({"slurm_partition": wished.partition} if wished.partition else {}),
        **({"slurm_account": wished.account} if wished.account else {}),
    )
    return executor


def folder() -> Path:
    """Where submitit keeps its jobs' scripts, pickles and output."""
    return environment.runs_dir().resolve() / ".slurm"


def state(run: Run) -> str:
    """What Slurm's queue says of the run's job; one that isn't there any more has ended."""
    check(_options(run))
    job = launch.remembered(run).job
    if _options(run).executor == "local":
        return "running" if _is_process(job) else "ended"
    found = _queued().get(job) or _queued(now=True).get(job, "")  # younger than the last answer
    if not found:
        return "ended"
    return "running" if found in RUNNING else "waiting"


def _is_process(job: str) -> bool:
    """Whether a job of the local executor, which is called after its process, lives.

    Numbers come again, after a restart say: another program's process isn't the job.
    """
    if not job.isdecimal():
        return False
    place = Path("/proc") / job
    try:
        state = (place / "stat").read_text().rpartition(")")[2].split()[0]
        command = (place / "cmdline").read_bytes()
    except (OSError, IndexError):
        return False
    return state != "Z" and b"submitit" in command  # Z: ended, but its parent hasn't noticed


_seen: list[tuple[float, dict[str, str]]] = []  # when, job -> its state; at most one entry


def _queued(now: bool = False) -> dict[str, str]:
    """Every job of this user that waits or works, in one question."""
    if _seen and time.monotonic() - _seen[0][0] < FRESH and not now:
        return _seen[0][1]
    text = _ask("squeue", "--noheader", "--me", "--array", "--format=%i %T")
    pairs = (line.split() for line in text.splitlines())
    known = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    _seen[:] = [(time.monotonic(), known)]
    return known


def _ask(*command: str) -> str:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=PATIENCE
        ).stdout
    except subprocess.CalledProcessError as error:
        why = " ".join(str(error.stderr).split())[:300]
        raise LaunchError(f"{command[0]} failed: {why}. Try again when Slurm answers.") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LaunchError(
            f"Slurm doesn't answer ({command[0]}). Runs keep their place and go on when it does."
        ) from error


def stop(run: Run) -> None:
    """Take the job out of Slurm's queue, or end it."""
    job = launch.remembered(run).job
    if _options(run).executor == "local":
        if _is_process(job):
            os.kill(int(job), signal.SIGTERM)
        return
    _ask("scancel", job)


def log(run: Run) -> str:
    """The end of what submitit's wrapper printed."""
    job = launch.remembered(run).job
    parts = []
    for path in sorted(folder().glob(f"{job.partition('_')[0]}*/{job}_*_log.*")):
        parts.append(end_of(path, MOST_LOG))
    return "\n".join(parts)
