"""Runs through submitit's local executor: the same jobs as Slurm's, without Slurm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from genlib.runs import launch, queue
from genlib.runs.launch import LaunchError
from genlib.runs.launchers import slurm
from genlib.store import checkpoint
from tests.cluster.conftest import advancing, epochs, lasting, tiny
from tests.helpers import until


@pytest.fixture(autouse=True)
def local(folder: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_SLURM_EXECUTOR", "local")


def test_several_runs_are_submitted_together_and_finish() -> None:
    runs = queue.start_all([tiny(1), tiny(1, seed=1)], on="slurm")
    assert all(launch.remembered(run).job for run in runs)
    advancing(lambda: {run.state for run in runs} == {"finished"})
    until(lambda: "Job completed successfully" in slurm.log(runs[0]))


def test_a_killed_process_comes_back_with_all_its_epochs_but_one() -> None:
    run = queue.start(lasting(), on="slurm")
    advancing(lambda: run.model and len(epochs(run)) > 2)
    kept = checkpoint.peek(run.path / "model.safetensors").epoch or 0
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    advancing(lambda: any(e.kind == "resume" and e.epoch >= kept for e in run.events()[0]))
    assert launch.remembered(run).tries == 1
    queue.stop(run)
    until(lambda: run.state == "stopped" and not run.alive)


def test_at_its_time_limit_a_job_stops_after_an_epoch_and_goes_on_in_the_same_job() -> None:
    run = queue.start(lasting(), on="slurm")
    advancing(lambda: run.model and len(epochs(run)) > 2)
    job = launch.remembered(run).job
    before = epochs(run)[-1]
    # What Slurm sends before the limit, to every process of the job.
    assert run.pid is not None
    os.kill(run.pid, signal.SIGUSR2)
    os.kill(wrapper(job), signal.SIGUSR2)
    until(lambda: [e.epoch for e in run.events()[0] if e.kind == "resume"][-1] >= before)
    until(lambda: epochs(run)[-1] > before + 1)
    assert launch.remembered(run).job == job and launch.remembered(run).tries == 0
    log = slurm.log(run)
    assert "Caught signal SIGUSR2" in log and "Requeued job" in log
    assert "ended by signal" not in log, "it stopped after its step"
    queue.stop(run)
    until(lambda: run.state == "stopped" and not run.alive)


def wrapper(job: str) -> int:
    """The process that submitit's controller ``job`` started."""
    with open(f"/proc/{job}/task/{job}/children") as file:
        return int(file.read().split()[0])


@pytest.mark.usefixtures("nothing_starts")
def test_another_programs_process_with_the_number_of_the_job_is_left_alone() -> None:
    run = queue.create(tiny())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        options = slurm.Options(executor="local").to_dict()
        launch.remember(run, launch.Launch("slurm", str(other.pid), options=options))
        assert slurm.state(run) == "ended"
        slurm.stop(run)
        other.communicate(b"\n")
    assert other.returncode == 0, "it ended by itself"


def test_without_slurm_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_SLURM_EXECUTOR", "slurm")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LaunchError, match=r"Slurm isn't here: sbatch and squeue were not found"):
        queue.start(tiny(), on="slurm")
    assert queue.listing() == []
