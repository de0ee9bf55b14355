"""What every test shares: a run directory of its own, so that no test touches the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image

from genlib.data.pictures import registry
from genlib.models import Model
from genlib.runs.launchers import here
from genlib.store import checkpoint
from tests.evil import Evil, build

Shelf = Callable[..., Path]

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Point $GENLIB_RUNS at an empty temporary directory for the whole test session."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("runs")
        patch.setenv("GENLIB_RUNS", str(folder))
        # Page scripts are named relative to the root: pages/start/home.py.
        patch.chdir(ROOT)
        yield folder


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The folder of shipped checkpoints; skips where the checkout has none."""
    folder = ROOT / "checkpoints"
    if not any(folder.glob("*.safetensors")):
        pytest.skip("no checkpoint in checkpoints/: build them with genlib train --recipe")
    return folder


@pytest.fixture(scope="session")
def evil(tmp_path_factory: pytest.TempPathFactory, shipped: Path) -> Evil:
    """A world in which every name is hostile; see tests/evil.py."""
    return build(tmp_path_factory.mktemp("evil"))


@pytest.fixture
def no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own folder of runs, empty."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that are started stay waiting."""
    monkeypatch.setattr(here, "start", lambda *runs: [])


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A function that saves models by name where the pages look; weights follow from seed 0.

    They are of MNIST's digits, or of the images of ``dataset``.
    """
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    st.cache_data.clear()
    torch.manual_seed(0)

    def save(models: Mapping[str, Model], dataset: str = "mnist") -> Path:
        for name, model in models.items():
            file = tmp_path / f"{name}.safetensors"
            checkpoint.save(file, model, dataset=dataset, seed=0, epoch=1)
        return tmp_path

    yield save
    st.cache_data.clear()


@pytest.fixture
def own_pictures(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The datasets of a folder with 32x32 pictures of two classes: in "grey" and in "colour"."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "pictures"
    rng = np.random.default_rng(0)
    for name in ("bright", "dark"):
        (folder / name).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(256, size=(32, 32, 3), dtype=np.uint8) // (1 + (name == "dark"))
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return {colour: registry.register(folder, 32, colour).name for colour in registry.COLOURS}
