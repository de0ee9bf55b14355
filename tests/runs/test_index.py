"""The index of runs: the runs' own files are the truth, whatever it says."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from genlib.files import write_json
from genlib.runs import index, queue
from genlib.runs.directory import Run, RunSpec

SPEC = RunSpec("autoencoder", "digits", {"latent_dim": 2}, {"epochs": 1})


def states(folder: Path) -> dict[str, str]:
    return {name: entry.state for name, entry in index.entries(folder).items()}


def test_every_change_of_a_run_is_seen(no_runs: Path) -> None:
    assert index.entries(no_runs) == {}
    first, second = queue.create(SPEC), queue.create(replace(SPEC, sweep="s"))
    assert states(no_runs) == {first.id: "stopped", second.id: "stopped"}
    assert index.entries(no_runs)[second.id].sweep == "s"
    first.set_status("finished", 5.0)
    assert index.entries(no_runs)[first.id].since == 5.0
    # Edited in place by hand, with the same size.
    text = (first.path / "status.json").read_text()
    (first.path / "status.json").write_text(text.replace("finished", "stopped ").replace("d ", "d"))
    assert states(no_runs)[first.id] == "stopped"
    queue.delete(second)
    assert list(states(no_runs)) == [first.id]
    queue.undo_delete(second.id)
    assert sorted(states(no_runs)) == [first.id, second.id]
    (first.path / "run.json").write_text("{")
    assert list(states(no_runs)) == [second.id]


@pytest.fixture
def many(no_runs: Path) -> Path:
    """More runs than it takes for the index to be written."""
    for n in range(index.WORTH_WRITING + 2):
        path = no_runs / f"autoencoder-{n + 1}"
        path.mkdir(parents=True)
        write_json(path / "run.json", RunSpec.from_dict({**SPEC.to_dict(), "created": n}).to_dict())
        Run(path).set_status("finished", float(n))
    return no_runs


def elsewhere(folder: Path) -> list[str]:
    """The listing of another process, which knows only what is on the disk."""
    code = "from genlib.runs import queue; print(*(run.id for run in queue.listing()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return found.stdout.split()


def test_the_next_process_reads_the_index_and_what_changed_since(many: Path) -> None:
    usual = [run.id for run in queue.listing()]
    assert usual[0] == f"autoencoder-{len(usual)}", "newest first"
    assert (many / index.FILE).is_file()
    assert elsewhere(many) == usual
    new = queue.create(SPEC)
    assert elsewhere(many) == [new.id, *usual]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "[" * 100_000, '{"version": 1, "runs": {"a": 3}}', '{"version": 99}', "lies"],
    ids=lambda text: text[:30],
)
def test_a_damaged_or_lying_index_changes_nothing(many: Path, content: str) -> None:
    usual = [run.id for run in queue.listing()]
    if content == "lies":  # right stamps, wrong facts: a finished run is never started again
        values = json.loads((many / index.FILE).read_text())
        for entry in values["runs"].values():
            entry[4] = "queued"
        content = json.dumps(values)
        usual_set = set(usual)
        (many / index.FILE).write_text(content)
        code = "from genlib.runs import queue; print(len(queue.queue()), len(queue.advance()))"
        found = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert found.stdout.split() == ["0", "0"]
        assert set(elsewhere(many)) == usual_set
        return
    (many / index.FILE).write_text(content)
    assert elsewhere(many) == usual


def test_a_waiting_run_is_found_through_the_index(many: Path) -> None:
    queue.listing()
    run = queue.create(SPEC)
    run.set_status("queued", time.time())
    assert queue.queue() == [run] and queue.get(run.id) == run and queue.get("../x") is None
