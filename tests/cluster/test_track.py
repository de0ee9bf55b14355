"""What each tracker's own reader finds in what we wrote."""

from __future__ import annotations

import json
import os
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from genlib.cli.main import main
from genlib.files import take
from genlib.runs import events, queue
from genlib.runs.directory import Run
from genlib.runs.worker import work
from genlib.settings import Control, Event
from genlib.store import checkpoint
from tests.cluster.conftest import tiny
from tests.helpers import until


class Item(Protocol):
    """One key and its value in a record of W&B."""

    key: str
    nested_key: Sequence[str]
    value_json: str


pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def run() -> Run:
    """Three epochs, stopped once and gone on with, and measured on the test images."""
    one = queue.create(tiny(3))

    def interrupt(event: Event) -> None:
        if event.epoch == 2:
            one.set_control(Control(stop=True))

    assert work(one, interrupt) == "stopped"
    one.set_control(Control())
    assert work(one, lambda event: None) == "finished"
    measured = {
        "reconstruction_mse": {"value": 0.5, "stderr": 0.01, "unit": "", "n": 9, "data": "d"}
    }
    checkpoint.save_metrics(checkpoint.peek(one.path / "model.safetensors"), measured)
    return one


def losses(run: Run) -> list[tuple[int, float]]:
    return events.curves(events.fold(run.events()[0]))["test/loss"]


def test_tensorboard_reads_losses_pictures_settings_and_test_numbers(
    run: Run, tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.metadata import PLUGIN_NAME

    for _ in range(2):  # a second import replaces the first
        assert main(["track", str(run.path), "--to", "tensorboard", "--into", str(tmp_path)]) == 0
    found = EventAccumulator(str(tmp_path / run.id)).Reload()
    curve = [(point.step, point.value) for point in found.Scalars("test/loss")]
    assert curve == [(epoch, pytest.approx(value)) for epoch, value in losses(run)]
    assert [image.step for image in found.Images("reconstructions")] == [0, 1, 2, 3]
    assert (
        found.Images("reconstructions")[0].width,
        found.Images("reconstructions")[0].height,
    ) == (
        8 * 28,
        4 * 28,
    )
    assert found.Scalars("measured/reconstruction_mse")[0].value == 0.5
    assert found.Scalars("measured/reconstruction_mse_stderr")[0].value == pytest.approx(0.01)
    assert "_hparams_/session_start_info" in found.PluginTagToContent(PLUGIN_NAME)
    assert found.Scalars("lr")


def test_tensorboard_forgets_work_that_was_lost_while_it_watched(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from genlib.tracking.follow import Follower
    from genlib.tracking.tensorboard import Tracker

    run = queue.create(tiny(5))
    run.set_status("running", 0.0)
    lock = take(run.lock)  # it lives
    assert lock is not None
    follower = Follower(run, Tracker(tmp_path))
    for step, epoch, loss in ((4, 1, 3.0), (8, 2, 2.0), (12, 3, 1.0)):
        events.append(run.log, Event("epoch", step, epoch, 1.0, {"test/loss": loss}))
    follower.look()
    events.append(run.log, Event("resume", 4, 1, 2.0))
    events.append(run.log, Event("epoch", 8, 2, 3.0, {"test/loss": 2.5}))
    run.set_status("stopped", 0.0)
    os.close(lock)
    assert not follower.look()
    found = EventAccumulator(str(tmp_path / run.id)).Reload()
    assert [(p.step, p.value) for p in found.Scalars("test/loss")] == [(1, 3.0), (2, 2.5)]


def test_a_run_is_followed_while_it_trains(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = queue.start(tiny(4))
    ended: list[int] = []
    track = ["track", run.id, "--to", "tensorboard", "--into", str(tmp_path)]
    thread = threading.Thread(target=lambda: ended.append(main(track)))
    thread.start()
    thread.join(300)
    assert ended == [0] and run.state == "finished"
    found = EventAccumulator(str(tmp_path / run.id)).Reload()
    assert [p.step for p in found.Scalars("train/loss")] == [1, 2, 3, 4]


def test_mlflow_keeps_losses_pictures_settings_and_test_numbers_in_a_folder(
    run: Run, tmp_path: Path
) -> None:
    from mlflow.tracking import MlflowClient

    for _ in range(2):
        assert main(["track", str(run.path), "--to", "mlflow", "--into", str(tmp_path / "m")]) == 0
    client = MlflowClient(tracking_uri=(tmp_path / "m").as_uri())
    experiment = client.get_experiment_by_name("genlib")
    assert experiment is not None
    (stored,) = client.search_runs([experiment.experiment_id])
    assert stored.info.run_name == run.id and stored.info.status == "FINISHED"
    assert stored.data.params["latent_dim"] == "2" and stored.data.params["limit"] == "256"
    curve = client.get_metric_history(stored.info.run_id, "test/loss")
    assert [(p.step, p.value) for p in curve] == losses(run)
    assert stored.data.metrics["measured/reconstruction_mse"] == 0.5
    assert stored.data.metrics["measured/reconstruction_mse_stderr"] == 0.01
    pictures = [file.path for file in client.list_artifacts(stored.info.run_id, "images")]
    assert sum("reconstructions" in path and path.endswith(".png") for path in pictures) == 4


def test_wandb_offline_holds_losses_pictures_settings_and_test_numbers(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_X_SERVICE_WAIT", "300")  # seconds, on a slow machine
    assert main(["track", str(run.path), "--to", "wandb", "--into", str(tmp_path)]) == 0
    (file,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    # W&B's own process writes the file, and the last of it only after it has answered us.
    until(lambda: any(r.WhichOneof("record_type") == "exit" for r in wandb_records(file)))
    records = list(wandb_records(file))
    found = [r.history.item for r in records if r.WhichOneof("record_type") == "history"]
    rows = [values(items) for items in found]
    curve = [(row["epoch"], row["test/loss"]) for row in rows if "test/loss" in row]
    assert curve == [(epoch, pytest.approx(value)) for epoch, value in losses(run)]
    pictured = [row for row in rows if is_pictured(row)]
    assert [row["epoch"] for row in pictured] == [0, 1, 2, 3]
    assert ["test/loss" in row for row in pictured] == [False, True, True, True], "one row each"
    (begun,) = [r.run for r in records if r.WhichOneof("record_type") == "run"]
    config = values(begun.config.update)
    assert config["latent_dim"] == 2 and begun.display_name == run.id
    told = [r.summary.update for r in records if r.WhichOneof("record_type") == "summary"]
    summary = {key: value for items in told for key, value in values(items).items()}
    assert summary["measured/reconstruction_mse"] == 0.5
    assert len(list(tmp_path.glob("wandb/offline-run-*/files/media/images/*.png"))) == 4


def is_pictured(row: dict[str, object]) -> bool:
    return any(key.split("/")[0] == "reconstructions" for key in row)


def values(items: Iterable[Item]) -> dict[str, object]:
    """Key -> value of a record's items."""
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def wandb_records(path: Path) -> Iterator[object]:
    """The records of a .wandb file: a LevelDB log of protocol buffers after 7 bytes of its own."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, parts = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        if at + 7 + size > len(data):
            return  # it is being written
        parts += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or the last of several
            record = Record()
            record.ParseFromString(parts)
            parts = b""
            yield record


def test_a_sweep_is_one_group_and_a_missing_run_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (0, 1):
        spec = tiny(1, seed=seed)
        assert work(queue.create(type(spec)(**{**asdict(spec), "sweep": "s"})), lambda e: None)
    assert main(["track", "s", "--to", "mlflow", "--into", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("2 runs in")
    assert main(["track", "nowhere", "--to", "mlflow"]) == 2
    assert "neither a run's directory nor a sweep" in capsys.readouterr().err


def test_pictures_are_pairs_of_rows() -> None:
    from genlib.tracking.follow import sheet

    preview = np.zeros((20, 1, 2, 2), np.uint8)
    preview[10:] = 200
    image = sheet(preview, paired=True)
    assert image.shape == (4 * 2, 8 * 2, 3)
    assert image[:, 0, 0].tolist() == [0, 0, 200, 200, 0, 0, 200, 200]
    assert image[6, 5, 0] == 0, "the last row is filled up"
    assert sheet(preview[:3], paired=False).shape == (2, 6, 3)


def test_training_knows_no_tracker() -> None:
    import subprocess
    import sys

    code = "import sys, genlib.runs.worker; "
    code += "print([m for m in ('wandb', 'mlflow', 'tensorboard', 'ray') if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert found.stdout.strip() == "[]"
