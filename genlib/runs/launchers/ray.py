"""Start runs as jobs of a Ray cluster (Ray Jobs, ``ray[default]``).

The cluster is found by ``RAY_ADDRESS``, the address of its dashboard. A job asks for CPUs and a
share of a GPU (``Options``), and Ray lets it wait until a node has them. genlib, its Python and the
run's directory have to be under the same paths on every node.

Source: Ray documentation, "Ray Jobs Overview" and "Python SDK". A job without ``entrypoint_num_*``
would run on the head without being scheduled (ray-project/ray#23010): it asks for 0.01 at least.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from genlib.runs import launch
from genlib.runs.directory import Run
from genlib.runs.launch import LaunchError
from genlib.settings import Settings, setting

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

ADDRESS = "http://127.0.0.1:8265"
PATIENCE = 3.0  # seconds for a dashboard to take a connection
ANSWER_S = 30.0  # seconds for an answer
FRESH = 1.0  # seconds that a list of all jobs is good for
MOST_LOG = 20_000  # characters
STATES = {
    "PENDING": "waiting",
    "RUNNING": "running",
    "STOPPED": "stopped",
    "SUCCEEDED": "ended",
    "FAILED": "ended",
}


@dataclass(frozen=True)
class Options(Settings):
    """What one run asks of the cluster."""

    cpus: float = setting(1.0, 0.01, 1024, "Processors that Ray reserves for a run.")
    gpus: float = setting(0.0, 0.0, 64, "GPUs for a run; 0.25 puts four runs on one.")
    python: str = setting(sys.executable, help="Python with genlib on the cluster's nodes.")


def check(options: Settings) -> None:
    """Raise LaunchError unless the cluster answers."""
    _client()


def start(*runs: Run) -> list[Run]:
    """Submit one job for each run; Ray decides when and where it begins."""
    client = _client()
    return [run for run in runs if _submit(client, run)]


def _submit(client: JobSubmissionClient, run: Run) -> bool:
    wished = Options.from_dict(launch.remembered(run).options)
    job = _name(run)
    command = [wished.python, "-m", "genlib", "train", "--run", str(run.path.resolve())]
    # Before it is asked: should its answer be lost, the job is known by this name or forgotten.
    launch.handed_over(run, job)
    with _asking(f"Ray refused {run.id}"):
        try:
            client.submit_job(
                entrypoint=shlex.join(command),
                submission_id=job,
                entrypoint_num_cpus=wished.cpus,
                entrypoint_num_gpus=wished.gpus or None,
                runtime_env={"env_vars": _variables()},
                metadata={"genlib": run.id},
            )
        except RuntimeError:
            launch.handed_over(run, "")
            raise
    return True


def _name(run: Run) -> str:
    """A name that no other job has: Ray never takes one again."""
    place = hashlib.sha256(str(run.path.resolve()).encode()).hexdigest()[:8]
    return f"{run.id}-{place}-{time.time_ns():x}"


def _variables() -> dict[str, str]:
    # Ray sets RAY_ADDRESS in a job to something that its own job client can't use.
    return {**launch.variables(), "RAY_ADDRESS": address()}


def state(run: Run) -> str:
    """What Ray says of the run's job. A head that was started again has forgotten every job, and
    most of their processes have ended with it; the others show it by their locks and beats."""
    job = launch.remembered(run).job
    known = _states()
    if job not in known:  # it may be younger than what was heard last
        known = _states(now=True)
    return known.get(job, "forgotten")


_seen: dict[str, tuple[float, dict[str, str]]] = {}  # address -> when, job -> its state


def _states(now: bool = False) -> dict[str, str]:
    """Every job's state, in one question however many runs are asked about."""
    at, known = _seen.get(address(), (0.0, {}))
    if time.monotonic() - at < FRESH and not now:
        return known
    client = _client()
    with _asking("Ray can't list its jobs"):
        jobs = client.list_jobs()
    known = {job.submission_id or "": STATES.get(str(job.status), "") for job in jobs}
    _seen[address()] = (time.monotonic(), known)
    return known


def stop(run: Run) -> None:
    """Withdraw the job, or end it: first by SIGTERM, then by SIGKILL. Ray notices the withdrawal of
    a waiting job when its turn comes, and doesn't start it then."""
    client = _client()
    with _asking(f"Ray can't stop {run.id}"):
        client.stop_job(launch.remembered(run).job)


def log(run: Run) -> str:
    """The end of what the job printed, and what Ray says of its end."""
    client, job = _client(), launch.remembered(run).job
    with _asking(f"Ray can't show the log of {run.id}"):
        try:
            text = f"{client.get_job_logs(job)}\n{client.get_job_info(job).message or ''}"
        except RuntimeError:  # a job that never began has no log
            return ""
    return text[-MOST_LOG:]


def address() -> str:
    """Where the dashboard is: ``$RAY_ADDRESS``, else this machine's usual port."""
    return os.environ.get("RAY_ADDRESS", "").strip() or ADDRESS


def _client() -> JobSubmissionClient:
    """A client that answers; LaunchError says what to do where there is none."""
    where = urlsplit(address())
    if where.scheme not in ("http", "https") or not where.hostname:
        raise LaunchError(
            f"RAY_ADDRESS must be the address of Ray's dashboard, such as {ADDRESS}, "
            f"got {address()[:80]!r}."
        )
    try:
        from ray.job_submission import JobSubmissionClient as Client
    except ImportError:
        raise LaunchError(
            "Ray isn't installed here: pip install 'genlib[ray]', or start runs with --on here."
        ) from None
    try:
        port = where.port or {"http": 80, "https": 443}[where.scheme]
        socket.create_connection((where.hostname, port), PATIENCE).close()
        return _patient(Client)(address())
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise _silent() from error


def _patient(client: type[JobSubmissionClient]) -> type[JobSubmissionClient]:
    """The same client with an end to its waiting. Its own waits for ever: a head that hangs would
    stop every page that looks after the queue."""

    class Patient(client):  # type: ignore[valid-type, misc]
        def _do_request(self, method: str, endpoint: str, **options: object) -> object:
            return super()._do_request(method, endpoint, **{"timeout": ANSWER_S, **options})

    return Patient


@contextmanager
def _asking(refused: str) -> Iterator[None]:
    """A question to a head that may say no, or end before it answers: both are LaunchErrors."""
    try:
        yield
    except RuntimeError as error:
        raise LaunchError(f"{refused}: {_first_line(error)}") from error
    except OSError as error:
        raise _silent() from error


def _silent() -> LaunchError:
    return LaunchError(
        f"Ray doesn't answer at {address()}: start it with `ray start --head`, or set RAY_ADDRESS "
        "to its dashboard. Runs keep their place and go on when it answers."
    )


def _first_line(error: Exception) -> str:
    """The error's first line that says something, without the server's traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:300]
