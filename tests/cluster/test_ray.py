"""Runs as jobs of a real Ray head with two CPUs."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.job_submission import JobSubmissionClient

from genlib.cli.main import main
from genlib.runs import clusters, launch, queue
from genlib.runs.launch import LaunchError
from genlib.runs.launchers import ray
from genlib.store import checkpoint
from tests.cluster.conftest import Head, advancing, epochs, lasting, tiny
from tests.helpers import until

pytestmark = pytest.mark.usefixtures("folder", "head")


def test_a_run_trains_as_a_job_and_is_steered_through_its_directory(head: Head) -> None:
    run = queue.start(lasting(), on="ray")
    assert launch.remembered(run).launcher == "ray" and run.state == "queued"
    advancing(lambda: run.model and len(epochs(run)) > 2)
    assert run.state == "running" and ray.state(run) == "running"
    (job,) = [j for j in JobSubmissionClient(head.address).list_jobs() if j.metadata]
    assert job.submission_id == launch.remembered(run).job
    assert job.metadata == {"genlib": run.id}
    queue.pause(run)
    until(lambda: run.state == "paused")
    queue.set_lr(run, 0.0123)
    held = len(epochs(run))
    queue.proceed(run)
    until(lambda: len(epochs(run)) > held + 1)
    assert run.events()[0][-1].metrics["lr"] == pytest.approx(0.0123)

    # Kill the process: it comes back by itself, having lost at most one epoch.
    kept = checkpoint.peek(run.path / "model.safetensors").epoch or 0
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    advancing(lambda: any(e.kind == "resume" and e.epoch >= kept for e in run.events()[0]))
    resumed = [e.epoch for e in run.events()[0] if e.kind == "resume"][-1]
    assert resumed >= max(epochs(run)[:held]) and "started again" in told(run.path)
    advancing(lambda: max(epochs(run)) > resumed)

    queue.stop(run)
    until(lambda: run.state == "stopped" and not run.alive)
    before = max(epochs(run))
    advancing(lambda: ray.state(run) == "ended")
    assert queue.advance(now=True) == [] and run.state == "stopped", "it was asked to"
    queue.resume_run(run)
    advancing(lambda: max(epochs(run)) > before)
    assert launch.remembered(run).launcher == "ray"


def told(path: Path) -> str:
    """What launch.json and the log of the queue say of lost processes."""
    tries = launch.remembered(queue.Run(path)).tries
    return "started again" if tries == 1 else f"tries {tries}"


def test_jobs_wait_in_ray_s_queue_and_a_waiting_one_can_be_withdrawn() -> None:
    runs = [queue.start(lasting(seed=seed), on="ray") for seed in range(3)]
    advancing(lambda: [run.state for run in runs].count("running") == 2)
    (waits,) = [run for run in runs if run.state != "running"]  # Ray says who comes first
    works = next(run for run in runs if run is not waits)
    assert waits.state == "queued" and ray.state(waits) == "waiting"
    queue.stop(waits)
    assert waits.state == "stopped"
    queue.stop(works)
    until(lambda: ray.state(waits) == "stopped")
    assert not epochs(waits)


def test_a_job_that_cannot_begin_fails_after_three_tries_and_says_why() -> None:
    (run,) = queue.start_all([tiny()], on="ray", options={"python": "/no/such/python"})
    advancing(lambda: run.state == "failed")
    assert "ended 4 times without a new epoch" in run.message
    assert "/no/such/python" in run.message


def test_a_sweep_on_ray(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    values = ["--set", "latent_dim=2,5", "--epochs", "1", "--on", "ray", "--name", "rays"]
    settings = {k: v for k, v in tiny().train.items() if k != "epochs"}
    fixed = [text for name, value in settings.items() for text in ("--set", f"{name}={value}")]
    assert main(["sweep", "autoencoder", "--dataset", "digits", *fixed, *values]) == 0
    out = capsys.readouterr().out
    assert "best by test/loss: latent_dim=" in out
    assert (folder / "sweeps" / "rays" / "table.csv").exists()


@pytest.fixture
def head_again(head: Head) -> Iterator[Head]:
    """The head, which a test may stop: later tests have it again."""
    yield head
    if head.process is None:
        head.start()


def test_a_head_that_is_gone_is_one_sentence_and_runs_go_on_when_it_is_back(
    head_again: Head,
) -> None:
    run = queue.start(lasting(), on="ray")
    advancing(lambda: run.model)
    head_again.stop()
    with pytest.raises(LaunchError, match=r"Ray doesn't answer at .*: start it with `ray start"):
        queue.start(tiny(), on="ray")
    # Its process ends with the head, if not at the same moment; as long as it trains nobody asks.
    advancing(lambda: "Ray doesn't answer" in clusters.trouble(run))
    assert [r.id for r in queue.listing()] == [run.id]
    until(lambda: not run.alive)
    before = max(epochs(run))
    head_again.start()
    advancing(lambda: max(epochs(run)) > before)
    assert clusters.trouble(run) == ""


def test_a_head_that_ends_before_it_answers_is_the_same_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queue.start(lasting(), on="ray")
    advancing(lambda: launch.remembered(run).job)

    def gone(*_: object, **__: object) -> None:
        raise ConnectionError("Connection aborted")

    monkeypatch.setattr(ray, "FRESH", 0.0)
    for question in ("list_jobs", "submit_job", "stop_job", "get_job_logs"):
        monkeypatch.setattr(JobSubmissionClient, question, gone)
    for ask in (ray.state, ray.start, ray.stop, ray.log):
        with pytest.raises(LaunchError, match="Ray doesn't answer"):
            ask(run)


def test_a_head_that_hangs_is_the_same_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        monkeypatch.setenv("RAY_ADDRESS", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        monkeypatch.setattr(ray, "ANSWER_S", 0.5)
        with pytest.raises(LaunchError, match="Ray doesn't answer"):
            queue.start(tiny(), on="ray")
    assert queue.listing() == []
