"""The command line, as a person calls it: output, exit codes, one sentence for a mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.datasets import MNIST

from genlib.cli.main import checkpoints, main
from genlib.data import datasets
from genlib.evaluate import metrics
from genlib.evaluate.metric import Metric
from genlib.files import take, write_json
from genlib.models import Model
from genlib.runs import queue
from genlib.runs.directory import Run, RunSpec
from genlib.runs.worker import build_recipe, work
from genlib.settings import Control, Event, TrainSettings
from genlib.store import checkpoint
from genlib.store.recipes import RECIPES, Recipe
from genlib.training import loop

TINY = ["--dataset", "digits", "--set", "limit=128", "--set", "latent_dim=2"]
PLAIN = ["--set", "precision=float32", "--set", "threads=1"]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No checkpoint and no run but those of the test."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path / "checkpoints"))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path


def train(*more: str) -> int:
    return main(["train", "autoencoder", *TINY, *PLAIN, "--epochs", "2", *more])


def test_train_list_show_and_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--seed", "3", "--name", "mine") == 0
    out, err = capsys.readouterr()
    assert "finished" in out
    assert "epoch 2: train/loss" in err

    assert main(["list", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["name"], entry["family"], entry["epoch"], entry["seed"]) == (
        "mine",
        "autoencoder",
        2,
        3,
    )
    assert entry["config"]["latent_dim"] == 2
    assert main(["list"]) == 0
    assert capsys.readouterr().out.startswith("mine")

    assert main(["show", "mine", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [row["epoch"] for row in shown["history"]] == [1, 2]
    assert shown["train"]["limit"] == 128

    assert main(["evaluate", entry["path"], "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["name"] == "mine"
    error = report["metrics"]["reconstruction_mse"]
    assert set(error) == {"value", "stderr", "unit", "n", "data"}
    assert error["n"] == 360
    assert 0 < error["value"] < 1
    assert 0 < error["stderr"] < error["value"]


def test_out_makes_the_directory_and_refuses_a_full_one(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folders / "here" / "run"
    assert train("--out", str(out)) == 0
    assert checkpoint.peek(out / "model.safetensors").epoch == 2
    assert Run(out).state == "finished"
    assert train("--out", str(out)) == 2
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train"], "give either a FAMILY"),
        (["train", "vaee"], "unknown family 'vaee'"),
        (["train", "vae", "--set", "lr=3"], "lr must be between 1e-06 and 1"),
        (["train", "vae", "--set", "lr"], "--set takes FIELD=VALUE"),
        (["train", "vae", "--set", "foo=1"], "unknown setting 'foo'"),
        (["train", "vae", "--epochs", "many"], "epochs must be a whole number"),
        (["train", "vae", "--dataset", "cats"], "unknown dataset 'cats'"),
        (["train", "pca", "--dataset", "~nosuch/pics"], "There is nothing at '~nosuch/pics'"),
        (["train", "vae", "--dataset", "digits", "--set", "classes=1,42"], "class '42'"),
        (["train", "vae", "--dataset", "digits", "--set", "image_size=32"], "it is 28 for"),
        (["train", "vae", "--dataset", "digits", "--set", "channels=3"], "it is 1 for"),
        (["train", "classifier", "--dataset", "digits", "--set", "n_classes=3"], "it is 10 for"),
        (["train", "vae", "--dataset", "digits", "--set", "limit=1"], "only one image is left"),
        (["train", "dbn", *TINY[:4], "--epochs", "1"], "needs at least 4 training steps"),
        (["train", "vae", "--dataset", "digits", "--name", "vae-20"], "of a shipped checkpoint"),
        (["train", "vae", "--dataset", "digits", "--out", __file__], "there is a file of that"),
        (["train", "vae", "--dataset", "digits", "--out", f"{__file__}/a"], "there is a file of"),
        (["train", "--recipe", "vae-20", "--out", __file__], "there is a file of that name"),
        (["train", "--recipe", "cake"], "unknown recipe 'cake'"),
        (["train", "--recipe", "vae-20", "--epochs", "1"], "leave out --epochs"),
        (["train", "--resume", "x", "--set", "lr=1"], "--resume has its own settings: leave out"),
        (["train", "vae", "--dataset", "digits", "--name", "a" * 61], "1 to 60 characters, got 61"),
        (["train", "vae", "--dataset", "digits", "--name", "a\nb"], "printable characters only"),
        (["train", "--resume", "nowhere"], "is not the directory of a run"),
        (["show", "nothing"], "no checkpoint is called 'nothing'"),
        (["evaluate", "no/such.safetensors"], "No checkpoint was found at"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1
    assert not queue.listing()


@pytest.mark.parametrize("arguments", [[], ["fly"], ["show"], ["list", "--yaml"]])
def test_an_unknown_command_is_one_sentence_too(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_of_pictures_of_the_size_of_digits(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folders / "cache"))
    for kind in ("shirts", "shoes"):
        (folders / "clothes" / kind).mkdir(parents=True)
        for shade in range(12):
            Image.new("RGB", (40, 30), (20 * shade, 50, 90)).save(
                folders / "clothes" / kind / f"{shade}.png"
            )
    given = ["--dataset", str(folders / "clothes"), "--size", "28", "--grey", "--epochs", "1"]
    assert main(["train", "autoencoder", *given, "--set", "latent_dim=2", *PLAIN]) == 0
    assert main(["list", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert entry["dataset"] == "folder:clothes-28-grey"
    assert (entry["config"]["channels"], entry["config"]["image_size"]) == (1, 28)
    assert main(["train", "autoencoder", *given, "--size", "30"]) == 2
    assert "size must be 28, 32 or 64, got 30" in capsys.readouterr().err


def test_a_recipe_gives_checkpoint_snapshots_and_numbers(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"epochs": 2, "limit": 128, "precision": "float32", "threads": 1}
    recipe = Recipe("autoencoder", "a test", {"latent_dim": 2}, small, "digits", snapshots=(0, 1))
    monkeypatch.setitem(RECIPES, "small", recipe)
    assert main(["train", "--recipe", "small"]) == 0
    path = folders / "checkpoints" / "small.safetensors"
    assert capsys.readouterr().out.strip() == str(path)
    info = checkpoint.peek(path)
    assert [epoch for epoch, _ in info.snapshots] == [0, 1, 2]
    assert info.size < 2.6 * info.parameters + 4000, "half precision: two bytes a number"
    assert info.metrics["reconstruction_mse"]["n"] == 360
    assert not queue.listing(), "a recipe is no run"


def test_a_recipe_may_train_its_result_further_with_other_settings(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = {"epochs": 2, "limit": 128, "lr": 1e-3, "precision": "float32", "threads": 1}
    plain = Recipe("autoencoder", "a test", {"latent_dim": 2}, train, "digits")
    more = replace(plain, more={"epochs": 1, "lr": 1e-2, "seed": 1}, snapshots=(2,))
    monkeypatch.setitem(RECIPES, "plain", plain)
    monkeypatch.setitem(RECIPES, "more", more)
    for name in ("plain", "more"):
        assert main(["train", "--recipe", name]) == 0
    info = checkpoint.peek(folders / "checkpoints" / "more.safetensors")
    assert [h["epoch"] for h in info.history] == [1, 2, 3] and info.epoch == 3 and info.seed == 0
    assert [h["step"] for h in info.history] == [h["epoch"] for h in info.history]
    assert [h["lr"] for h in info.history] == [1e-3, 1e-3, 1e-2]
    kept, last = (checkpoint.load(path).state_dict() for _, path in info.snapshots)
    before = checkpoint.load(folders / "checkpoints" / "plain.safetensors").state_dict()
    assert all(bool((kept[key] == before[key]).all()) for key in before)
    assert any(bool((last[key] != before[key]).any()) for key in before)


def test_a_recipe_gives_the_weights_of_its_trainings_one_after_the_other(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = {"epochs": 2, "limit": 128, "precision": "float32", "threads": 1, "seed": 4}
    more = {"epochs": 1, "lr": 1e-2, "seed": 1}
    recipe = Recipe("vae", "a test", {"latent_dim": 2, "hidden": (8,)}, train, "digits", more=more)
    monkeypatch.setitem(RECIPES, "twice", recipe)
    path = build_recipe("twice", folders / "checkpoints", lambda event: None, measure=False)
    data = datasets.load("digits")
    model = loop.build("vae", recipe.model, data, 4)
    for settings in (train, {**train, **more}):
        for _ in loop.train(model, data, TrainSettings.from_dict(settings)):
            pass
    stored = checkpoint.load(path).state_dict()
    assert all(torch.equal(stored[k], t.half().float()) for k, t in model.state_dict().items())
    assert [*path.parent.iterdir()] == [path], "nothing else is left behind"


def test_a_recipe_without_its_dataset_is_refused_and_changes_nothing(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GENLIB_DATA", str(folders / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folders / "cache"))
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody answers there
    datasets.known.cache_clear()
    if datasets.find_mnist():
        pytest.skip("data/ in this checkout holds MNIST")
    small = {"epochs": 1, "limit": 128, "precision": "float32", "threads": 1}
    monkeypatch.setitem(RECIPES, "small", Recipe("autoencoder", "a test", {}, small))
    path = folders / "checkpoints" / "small.safetensors"
    path.write_bytes(b"the shipped file")
    try:
        assert main(["train", "--recipe", "small"]) == 2
        assert "MNIST could not be downloaded" in capsys.readouterr().err
        with pytest.raises(ValueError, match="recipe small needs the dataset mnist"):
            build_recipe("small", folders / "checkpoints", lambda event: None)
    finally:
        datasets.known.cache_clear()
    assert path.read_bytes() == b"the shipped file"
    assert list(path.parent.iterdir()) == [path]


def test_nothing_to_measure_is_said(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No shipped classifier can judge samples here, and a GAN can do nothing else."""
    model = loop.build("gan_mlp", {"hidden": (4,)}, datasets.load("digits"), 0)
    path = folders / "gan.safetensors"
    checkpoint.save(path, model, dataset="digits", seed=0, epoch=1)
    assert main(["evaluate", str(path)]) == 0
    assert "there is nothing to measure" in capsys.readouterr().err
    assert main(["evaluate", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == {}


def test_the_header_says_what_was_used_next_to_what_was_asked_for(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "autoencoder", *TINY, "--epochs", "1", "--out", str(folders / "run")]
    assert main([*arguments, "--set", "precision=bfloat16", "--set", "threads=1"]) == 0
    info = checkpoint.peek(folders / "run" / "model.safetensors")
    assert (info.train["precision"], info.train["threads"]) == ("bfloat16", 1)
    assert (info.used["precision"], info.used["threads"]) == ("bfloat16", 1)
    auto = ["train", "autoencoder", *TINY, "--epochs", "1", "--out", str(folders / "auto")]
    assert main(auto) == 0
    info = checkpoint.peek(folders / "auto" / "model.safetensors")
    assert (info.train["precision"], info.train["threads"]) == ("auto", 0)
    assert info.used["precision"] in ("float32", "bfloat16") and info.used["threads"] in (1, 2)
    capsys.readouterr()
    assert main(["show", str(info.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["used"] == info.used


def test_the_same_seed_gives_the_same_weights(folders: Path) -> None:
    for name in ("a", "b"):
        assert train("--out", str(folders / name)) == 0
    a, b = (checkpoint.load(folders / name / "model.safetensors") for name in ("a", "b"))
    other = checkpoint.load(folders / "a" / "snapshots" / "epoch-0001.safetensors")
    first = next(iter(a.state_dict()))
    assert (a.state_dict()[first] == b.state_dict()[first]).all()
    assert not (a.state_dict()[first] == other.state_dict()[first]).all()


def test_ctrl_c_keeps_the_last_epoch_and_resume_goes_on(folders: Path) -> None:
    out = folders / "run"
    command = [sys.executable, "-m", "genlib", "train", "autoencoder", *TINY, *PLAIN]
    # All digits in pairs, for minutes: no machine ends it before this test does.
    lasting = ["--epochs", "1000", "--set", "limit=0", "--set", "batch_size=2"]
    process = subprocess.Popen(
        [*command, *lasting, "--out", str(out)], stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 300
    while not (out / "model.safetensors").exists():
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    assert Run(out).state == "running", "a run of the command line is seen by the app"
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert f"genlib train --resume {out}" in err
    run = Run(out)
    assert run.state == "stopped"
    kept = checkpoint.peek(out / "model.safetensors").epoch
    assert kept >= 1

    run.set_control(Control(stop=True))  # an old wish must not stop it again
    goal = kept + 2
    spec = run.spec
    write_json(out / "run.json", {**spec.to_dict(), "train": {**spec.train, "epochs": goal}})
    assert main(["train", "--resume", str(out)]) == 0
    assert checkpoint.peek(out / "model.safetensors").epoch == goal
    history = checkpoint.peek(out / "model.safetensors").history
    assert [row["epoch"] for row in history] == list(range(1, goal + 1))


def resume(run: Run) -> int:
    return main(["train", "--resume", str(run.path)])


def stopped(epochs: int = 2) -> Run:
    """A run that was stopped after its first epoch."""
    run = queue.create(spec_of(epochs))

    def interrupt(event: Event) -> None:
        if event.epoch == 1:
            run.ask(stop=True)

    assert work(run, interrupt) == "stopped"
    return run


def spec_of(epochs: int) -> RunSpec:
    train = {"epochs": epochs, "limit": 128, "precision": "float32", "threads": 1}
    return RunSpec("autoencoder", "digits", {"latent_dim": 2}, train)


def test_resume_leaves_the_wishes_for_a_run_at_work_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = queue.create(spec_of(2))
    wishes = Control(pause=True, lr=0.01)
    run.set_control(wishes)
    lock = take(run.lock)
    assert lock is not None
    assert resume(run) == 2
    assert "is being trained by another process" in capsys.readouterr().err
    assert run.control == wishes
    os.close(lock)


def test_resume_keeps_a_learning_rate_that_was_changed() -> None:
    run = stopped()
    run.ask(pause=True, lr=0.0123)
    assert resume(run) == 0
    assert run.control == Control(lr=0.0123)
    assert run.model and checkpoint.peek(run.model).history[-1]["lr"] == 0.0123


def test_resume_refuses_a_run_that_another_machine_trains(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = stopped()
    run.beat.write_text("another@machine 12")
    assert resume(run) == 2
    assert "is being trained on another machine" in capsys.readouterr().err
    assert run.control.stop and run.model and checkpoint.peek(run.model).epoch == 1
    os.utime(run.beat, (0, 0))  # its process has been silent for long
    assert resume(run) == 0


def test_listing_does_not_wait_for_torch() -> None:
    code = "import sys; from genlib.cli.main import main; main(['list']); "
    code += "assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_evaluate_write_refuses_a_file_that_was_replaced_meanwhile(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train() == 0
    (info,) = checkpoints()

    def slow(model: Model, *args: object, **named: object) -> dict[str, Metric]:
        """Meanwhile the training goes on."""
        checkpoint.save(info.path, model, dataset="digits", seed=0, epoch=info.epoch + 1)
        return {"mse": Metric(0.5, 0.1, "", 10, "digits")}

    monkeypatch.setattr(metrics, "evaluate", slow)
    assert main(["evaluate", str(info.path), "--write"]) == 2
    assert "model.safetensors has been replaced" in capsys.readouterr().err
    after = checkpoint.peek(info.path)
    assert (after.epoch, after.metrics) == (info.epoch + 1, {})


def test_evaluate_write_replaces_the_numbers_and_leaves_the_weights(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train() == 0
    (info,) = checkpoints()
    before, weights = info.path.read_bytes(), checkpoint.load(info).state_dict()
    assert main(["evaluate", str(info.path), "--write"]) == 0
    after = checkpoint.peek(info.path)
    assert info.metrics == {} and "reconstruction_mse" in after.metrics
    assert replace(after, metrics={}, size=0, mtime_ns=0) == replace(info, size=0, mtime_ns=0)
    tensors = sum(t.numel() * t.element_size() for t in weights.values())
    assert info.path.read_bytes()[-tensors:] == before[-tensors:]
    for name, tensor in checkpoint.load(after).state_dict().items():
        assert torch.equal(tensor, weights[name])
    capsys.readouterr()
    assert main(["evaluate", str(info.path), "--write", "--n", "50"]) == 2
    assert "leave out --n" in capsys.readouterr().err
