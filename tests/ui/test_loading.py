"""Checkpoints of the same name stay apart: a link or a widget knows a model by its name."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlib.data.pictures import registry
from genlib.environment import uploads_dir
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.settings import TrainSettings
from genlib.store import checkpoint
from genlib.store.checkpoint import Info
from genlib.ui.kit import loading


def test_some_classes_of_a_dataset_are_picked_once() -> None:
    """Each page asks several times in each of its runs."""
    settings = TrainSettings(epochs=1, classes="3,5").to_dict()
    info = Info("x", Path("x.safetensors"), "autoencoder", {}, "digits", 0, 1, train=settings)
    first, again = loading.pictures_of(info), loading.pictures_of(info)
    assert first.train_x.data_ptr() == again.train_x.data_ptr()
    assert first.train_y.unique().tolist() == [3, 5]
    assert len(loading.all_pictures_of(info).train_y.unique()) == 10


def test_own_pictures_that_are_added_below_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of the folder at the top stays, whatever comes into those inside."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def add(name: str, shade: int) -> None:
        file = tmp_path / "pets" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (shade, 0, 0)).save(file)

    for i in range(2):
        for folder in ("train/cats", "train/dogs", "test/cats"):
            add(f"{folder}/{i}.png", 10 * i)
    name = registry.register(tmp_path / "pets").name
    first = loading.dataset(name)
    assert (len(first.train_x), first.classes) == (4, ("cats", "dogs"))
    assert loading.dataset(name) is first
    add("train/cats/2.png", 50)
    assert len(loading.dataset(name).train_x) == 5
    add("train/birds/0.png", 60)
    assert loading.dataset(name).classes == ("birds", "cats", "dogs")


def test_codes_of_the_test_images_are_kept_once(shipped: Path) -> None:
    info = checkpoint.peek(shipped / "ae-30.safetensors")
    codes = loading.test_latents(info, 100)
    assert codes.shape == (100, 30)
    assert np.shares_memory(codes, loading.test_latents(info, 100))


def test_what_is_cached_of_a_file_that_changes_is_computed_again(tmp_path: Path) -> None:
    file = tmp_path / "one.safetensors"
    seen = []
    for latent_dim in (2, 3):
        model = Autoencoder(AutoencoderSettings(latent_dim=latent_dim))
        checkpoint.save(file, model, dataset="mnist", seed=0, epoch=1)
        os.utime(file, ns=(latent_dim, latent_dim))
        info = checkpoint.peek(file)
        assert loading.model(file) is loading.model(info) is loading.model(file)
        seen.append((loading.model(file), loading.test_latents(info, 20).shape[1]))
    (first, two), (second, three) = seen
    assert first is not second and (two, three) == (2, 3)


def test_names_are_distinct_over_all_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path / "shipped"))
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    model = Autoencoder(AutoencoderSettings(latent_dim=2))
    runs = tmp_path / "runs"
    names = {
        tmp_path / "shipped" / "one.safetensors": "one",
        uploads_dir() / "one.safetensors": "one (upload)",
        uploads_dir() / "one-2.safetensors": "one (upload one-2)",
        uploads_dir() / "one-3.safetensors": "one (upload one-3)",
        runs / "one" / "model.safetensors": "one (your run)",
        runs / "ae-2" / "model.safetensors": "one (your run ae-2)",
    }
    for path in names:
        checkpoint.save(path, model, name="one", dataset="digits", seed=0, epoch=1)
    found = {info.path: info.name for info in loading.checkpoints("Encodes")}
    assert found == names
    (tmp_path / "shipped" / "one.safetensors").unlink()
    (uploads_dir() / "one.safetensors").unlink()
    left = {info.path: info.name for info in loading.checkpoints("Encodes")}
    assert left == {path: name for path, name in names.items() if path.exists()}
