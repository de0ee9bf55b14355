"""Launchers: who is chosen, what a run remembers, and what is said where one can't be asked.

Runs on a real Ray head and by submitit's local executor are in tests/cluster/.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from genlib.cli.main import main
from genlib.files import read_json, take, write_json
from genlib.runs import clusters, launch, queue, sweep
from genlib.runs.directory import SILENT_S, Run, RunSpec
from genlib.runs.launch import LaunchError
from tests.helpers import until

TRAIN = {"epochs": 1, "limit": 64, "batch_size": 32, "precision": "float32", "threads": 1}
SPEC = RunSpec("autoencoder", "digits", {"latent_dim": 2}, TRAIN)


def lasting() -> RunSpec:
    """The same on all digits in pairs, for minutes: no machine ends it before its test does."""
    return replace(SPEC, train={**TRAIN, "epochs": 1000, "limit": 0, "batch_size": 2})


pytestmark = pytest.mark.usefixtures("no_runs")


class Engine:
    """A cluster's queue in this process: it takes jobs, and says of them what it was told to."""

    Options = launch.launcher("ray").Options

    def __init__(self) -> None:
        self.says: dict[str, str] = {}  # run -> state
        self.taken: list[str] = []
        self.withdrawn: list[str] = []
        self.answers = True
        self.falls_silent = False  # after it took a job, before it says so

    def check(self, options: object) -> None:
        if not self.answers:
            raise LaunchError("The cluster sleeps: wake it.")

    def start(self, *runs: Run) -> list[Run]:
        self.check(None)
        for run in runs:
            self.taken.append(run.id)
            self.says[run.id] = "waiting"
            launch.handed_over(run, f"job {len(self.taken)}")
            if self.falls_silent:
                raise LaunchError("The cluster sleeps: wake it.")
        return list(runs)

    def state(self, run: Run) -> str:
        self.check(None)
        return self.says[run.id]

    def stop(self, run: Run) -> None:
        self.check(None)
        self.withdrawn.append(run.id)

    def log(self, run: Run) -> str:
        return "one\nNo module named genlib\n"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The launcher ``ray`` with a queue that the test controls."""
    made, real = Engine(), launch.launcher
    monkeypatch.setattr(launch, "launcher", lambda name: made if name == "ray" else real(name))
    return made


def look() -> list[str]:
    return [run.id for run in queue.advance(now=True)]


def test_the_choice_is_the_argument_then_the_variable_then_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert launch.chosen() == "here"
    monkeypatch.setenv("GENLIB_LAUNCHER", "Ray")
    assert launch.chosen() == "ray" and launch.chosen("slurm") == "slurm"
    with pytest.raises(ValueError, match="--on must be one of here, ray, slurm, got 'kube'"):
        launch.chosen("kube")
    monkeypatch.setenv("GENLIB_LAUNCHER", "kube")
    with pytest.raises(ValueError, match="GENLIB_LAUNCHER must be one of"):
        launch.chosen()


def test_what_is_asked_of_a_cluster_comes_from_variables_and_arguments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GENLIB_RAY_CPUS", "2")
    monkeypatch.setenv("GENLIB_SLURM_PARTITION", "gpu")
    assert launch.options("ray", {"gpus": "0.25"}).to_dict()["gpus"] == 0.25
    assert launch.options("ray").to_dict()["cpus"] == 2.0
    assert launch.options("slurm").to_dict()["partition"] == "gpu"
    with pytest.raises(ValueError, match="gpus must be between 0 and 64"):
        launch.options("ray", {"gpus": "-1"})
    with pytest.raises(ValueError, match="the launcher here has no settings, got gpus"):
        launch.options("here", {"gpus": "1"})


@pytest.mark.parametrize(
    "values",
    [
        {"launcher": "kube", "job": "", "options": {}},
        {"launcher": "ray", "job": 3, "options": {}},
        {"launcher": "ray", "job": "", "options": {"cpus": "many"}},
        {"launcher": "ray", "job": "", "options": {}, "tries": -1},
        {"launcher": "ray", "job": "x" * 1000, "options": {}},
    ],
)
def test_an_edited_memory_is_a_run_of_this_machine(values: Mapping[str, object]) -> None:
    run = queue.create(SPEC)
    write_json(run.path / "launch.json", values)
    assert launch.remembered(run) == launch.Launch()


def test_a_run_of_this_machine_keeps_no_memory_and_one_of_a_cluster_does(engine: Engine) -> None:
    here = queue.create(SPEC)
    launch.remember(here, launch.Launch())
    assert not (here.path / "launch.json").exists()
    run = queue.start(SPEC, on="ray")
    assert (run.state, engine.taken) == ("queued", [run.id])
    assert read_json(run.path / "launch.json")["job"] == "job 1"
    assert look() == [], "it is in the cluster's queue, and handed over once"
    assert queue.place(run) == 1 and queue.queue() == [run]


def test_nothing_is_written_where_the_cluster_does_not_answer(
    engine: Engine, no_runs: Path
) -> None:
    engine.answers = False
    with pytest.raises(LaunchError, match="The cluster sleeps: wake it"):
        queue.start(SPEC, on="ray")
    assert queue.listing() == [] and not list(no_runs.glob("*"))


def test_runs_keep_their_place_while_the_cluster_does_not_answer(engine: Engine) -> None:
    run = queue.start(SPEC, on="ray")
    launch.remember(run, replace(launch.remembered(run), job=""))
    engine.answers = False
    assert look() == [] and run.state == "queued"
    assert clusters.trouble(run) == "The cluster sleeps: wake it."
    engine.answers = True
    assert look() == [run.id] and clusters.trouble(run) == ""


def test_a_lost_process_is_started_again_and_a_hopeless_one_is_not(engine: Engine) -> None:
    run = queue.start(SPEC, on="ray")
    run.set_status("running", time.time())
    engine.says[run.id] = "ended"  # killed before its first epoch
    for tries in (1, 2, 3):
        assert look() == [run.id]
        assert (run.state, launch.remembered(run).tries) == ("queued", tries)
        assert "started again" in run.message
        engine.says[run.id] = "ended"
    assert look() == []
    assert run.state == "failed"
    assert run.message.endswith("The last that was printed: No module named genlib")
    queue.resume_run(run)
    assert run.state == "queued" and launch.remembered(run).tries == 0
    assert engine.taken == [run.id] * 5


def test_waiting_runs_that_a_new_head_has_forgotten_wait_again_however_often(
    engine: Engine,
) -> None:
    """A cluster without its old queue: nothing is lost, and no run is to blame."""
    runs = queue.start_all([SPEC, SPEC], on="ray")
    for _ in range(6):
        for run in runs:
            engine.says[run.id] = "forgotten"
        assert look() == [run.id for run in runs]
        assert {run.state for run in runs} == {"queued"}
    assert [launch.remembered(run).tries for run in runs] == [0, 0]
    assert "queued again" in runs[0].message
    assert len({launch.remembered(run).job for run in runs}) == 2


def test_a_job_whose_confirmation_was_lost_is_not_submitted_twice(engine: Engine) -> None:
    engine.falls_silent = True
    run = queue.start(SPEC, on="ray")
    engine.falls_silent = False
    assert clusters.trouble(run) == "The cluster sleeps: wake it."
    assert look() == [] and engine.taken == [run.id], "it is known by its name"
    engine.says[run.id] = "forgotten"  # it never arrived
    assert look() == [run.id] and launch.remembered(run).tries == 0


def test_a_new_head_that_has_forgotten_all_leaves_alone_what_goes_on_without_it(
    engine: Engine,
) -> None:
    """Three processes of the old head: one lives on this machine, one on another, one has died."""
    near, far, dead = queue.start_all([SPEC] * 3, on="ray")
    for run in (near, far, dead):
        run.set_status("running", time.time())
        engine.says[run.id] = "forgotten"
    lock = take(near.lock)
    assert lock is not None
    far.beat.write_text("elsewhere@node 7")
    engine.answers = False
    assert look() == [] and [run.state for run in (near, far)] == ["running", "running"]
    engine.answers = True
    assert look() == [dead.id] and launch.remembered(dead).tries == 1
    near.set_status("finished", time.time())  # as the process does before it ends
    os.close(lock)
    assert look() == [] and near.state == "finished"
    far.beat.unlink()  # its node was switched off
    assert look() == [far.id] and engine.taken.count(far.id) == 2


def test_a_dead_process_of_this_machine_is_known_by_its_lock_at_once(engine: Engine) -> None:
    run = queue.start(SPEC, on="ray")
    run.set_status("running", time.time())
    run.claim()
    assert not run.alive and run.state == "lost", "nobody holds the lock"
    run.beat.write_text("elsewhere@node 7")
    assert run.alive and run.state == "running"


def test_the_process_that_came_later_trains_and_the_earlier_one_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What two machines do that don't see each other's locks."""
    run = queue.create(lasting())
    command = [sys.executable, "-m", "genlib", "train", "--run", str(run.path)]
    with (run.path / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: run.model and run.claimed)
        assert str(run.pid) == run.claimed.split()[1], "the child that trains has signed"
        run.beat.write_text("elsewhere@node 7")
        assert process.wait(300) == 1
    finally:
        process.kill()
    assert "Another process trains this run" in (run.path / "log.txt").read_text()
    assert run.claimed == "elsewhere@node 7", "the sign of the other one is left alone"
    assert run.status.state == "running", "and so is its status"


def test_a_process_does_not_begin_while_another_machine_trains(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from genlib.cli import train

    run = queue.create(SPEC)
    run.beat.write_text("elsewhere@node 7")
    monkeypatch.setattr(train, "SILENT_S", 0.5)  # seconds that it waits for the other's silence
    assert main(["train", "--run", str(run.path)]) == 2
    assert "is being trained by another process" in capsys.readouterr().err
    assert run.state == "stopped" and not run.events()[0]


def test_a_process_that_gives_signs_of_life_is_not_started_twice(engine: Engine) -> None:
    run = queue.start(SPEC, on="ray")
    run.set_status("running", time.time())
    engine.says[run.id] = "ended"  # the cluster lost sight of it
    run.beat.touch()
    assert run.state == "running" and look() == []
    past = time.time() - 2 * SILENT_S
    os.utime(run.beat, (past, past))
    assert run.state == "lost" and look() == [run.id]


@pytest.mark.parametrize("state", ["finished", "failed"])
def test_what_ended_properly_is_left_alone(engine: Engine, state: str) -> None:
    run = queue.start(SPEC, on="ray")
    run.set_status(state, time.time())
    engine.says[run.id] = "ended"
    assert look() == [] and run.state == state


def test_a_run_stopped_by_its_node_goes_on_and_one_stopped_by_a_person_does_not(
    engine: Engine,
) -> None:
    node, person, engine_s = (queue.start(SPEC, on="ray") for _ in range(3))
    for run in (node, person, engine_s):
        run.set_status("running", time.time())
    queue.stop(person)
    for run in (node, person):
        run.set_status("stopped", time.time())
        engine.says[run.id] = "ended"
    engine.says[engine_s.id] = "stopped"  # by a command of the cluster's own
    assert look() == [node.id]
    assert (node.state, person.state, engine_s.state) == ("queued", "stopped", "stopped")
    assert "cluster's own tools" in engine_s.message and look() == []


def test_a_job_that_goes_back_into_the_cluster_s_queue_waits(engine: Engine) -> None:
    run = queue.start(SPEC, on="ray")
    run.set_status("stopped", time.time())  # at its time limit
    engine.says[run.id] = "waiting"
    assert look() == [] and run.state == "queued"


def test_a_sweep_isn_t_over_while_its_only_run_is_between_two_jobs(engine: Engine) -> None:
    from genlib.cli.sweep import Watch

    (run,) = queue.start_all([replace(SPEC, sweep="s")], on="ray")
    watch = Watch(sweep.SweepSpec("s", launcher="ray"))
    for state in ("running", "stopped"):  # its node was lost; at its time limit
        run.set_status(state, time.time())
        engine.says[run.id] = "running"
        assert watch.look(), state
    run.set_status("failed", time.time())
    assert not watch.look()
    run.set_status("stopped", time.time())
    queue.stop(run)
    assert not watch.look(), "a person stopped it"
    assert engine.withdrawn == [run.id], "its next job doesn't begin"


def test_stopping_or_deleting_a_waiting_run_withdraws_its_job(engine: Engine) -> None:
    first, second = queue.start(SPEC, on="ray"), queue.start(SPEC, on="ray")
    queue.stop(first)
    queue.delete(second)
    assert engine.withdrawn == [first.id, second.id]
    assert first.state == "stopped" and first.control.stop


def test_a_sweep_gets_so_many_places_of_the_cluster(engine: Engine) -> None:
    specs = [replace(SPEC, sweep="s")] * 5
    runs = queue.start_all(specs, on="ray", at_once=2)
    assert engine.taken == [run.id for run in runs[:2]]
    runs[0].set_status("finished", time.time())
    assert look() == [runs[2].id]


def test_a_job_elsewhere_is_told_everything_but_the_teacher_s_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GENLIB_TEACHER", "s3cret")
    monkeypatch.setenv("GENLIB_PRECISION", "float32")
    told = launch.variables()
    assert told["GENLIB_PRECISION"] == "float32"
    assert "s3cret" not in told.values()
