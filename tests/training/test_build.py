"""A model's settings follow the dataset; what cannot be trained is said before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from genlib.cli.main import main
from genlib.data import datasets
from genlib.data.datasets import Dataset
from genlib.models import FAMILIES
from genlib.store import checkpoint
from genlib.training import loop


def colour(size: int = 32, classes: tuple[str, ...] = ("a", "b", "c")) -> Dataset:
    x, y = torch.zeros(4, 3, size, size, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64)
    return Dataset("test", "Test pictures", x, y, x, y, classes)


def test_shape_and_number_of_classes_follow_the_dataset() -> None:
    config = loop.configure("residual_classifier", {"smoothing": 0.2}, colour())
    assert config.to_dict() | {"widths": []} == {
        "channels": 3,
        "image_size": 32,
        "n_classes": 3,
        "widths": [],
        "smoothing": 0.2,
        "adversarial_eps": 0.0,
        "adversarial_steps": 4,
    }
    assert loop.build("classifier", {}, colour(), 0).config.shape == (3, 32, 32)
    given = loop.configure("classifier", {"n_classes": 7}, colour())
    assert given.to_dict()["n_classes"] == 7


@pytest.mark.parametrize("odd", [{"channels": 1}, {"image_size": 28}, {"n_classes": 2}])
def test_settings_that_contradict_the_pictures_are_refused(odd: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(odd))} follows from the pictures: it is 3"):
        loop.build("classifier", odd, colour(), 0)


def test_what_a_family_cannot_take_is_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"DCGAN 64×64 cannot take Test pictures \(36×36 pixels"):
        loop.check("dcgan_64", {}, colour(36))
    with pytest.raises(ValueError, match="has no classes to tell apart"):
        loop.check("classifier", {}, colour(classes=("unsorted",)))
    with pytest.raises(ValueError, match="unknown family 'x'"):
        loop.check("x", {}, colour())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [32, 64])
def test_what_passes_the_check_can_be_trained_on_colour(family: str, size: int) -> None:
    data = colour(size)
    small = {"ngf": 4, "ndf": 4, "width": 8, "hidden": (8,), "widths": (4, 4, 4)}
    known = {spec.name for spec in FAMILIES[family].Config.specs()}
    config = {name: value for name, value in small.items() if name in known}
    try:
        loop.check(family, config, data)
    except ValueError as error:
        assert "cannot take Test pictures" in str(error)
        return
    model, x = loop.build(family, config, data, 0), torch.rand(2, 3, size, size)
    terms = model.losses(x, torch.tensor([0, 1]), torch.Generator().manual_seed(0))
    assert terms["loss"].isfinite()


def test_the_check_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    loop.check("vae", {}, datasets.load("digits"))
    assert torch.equal(torch.rand(3), expected)


def test_the_command_line_trains_on_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path
    monkeypatch.setenv("GENLIB_RUNS", str(root / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
    for i in range(8):
        (root / "shots" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (30 * i, 0, 0)).save(root / "shots" / "ab"[i % 2] / f"{i}.png")
    plain = ["--set", "precision=float32", "--set", "threads=1", "--epochs", "1"]
    folder = ["--dataset", str(root / "shots"), "--grey"]
    assert main(["train", "autoencoder", *folder, *plain, "--out", str(root / "out")]) == 0
    assert "is the dataset folder:shots-grey" in capsys.readouterr().err
    info = checkpoint.peek(root / "out" / "model.safetensors")
    assert (info.dataset, info.config["channels"], info.config["image_size"]) == (
        "folder:shots-grey",
        1,
        32,
    )
    assert main(["train", "vae", "--dataset", str(root / "nothing")]) == 2
    assert "There is nothing at" in capsys.readouterr().err
