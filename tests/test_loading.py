"""Checkpoints of the same name stay apart: a link or a widget knows a model by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlib import checkpoint
from genlib.checkpoint import uploads_dir
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.ui import loading


def test_names_are_distinct_over_all_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path / "shipped"))
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    model = Autoencoder(AutoencoderSettings(latent_dim=2))
    paths = [tmp_path / "shipped" / "one.safetensors"]
    paths += [uploads_dir() / f"{stem}.safetensors" for stem in ("one", "one-2", "one-3")]
    for path in paths:
        checkpoint.save(path, model, name="one", dataset="digits", seed=0, epoch=1)
    found = {info.name: info.path for info in loading.checkpoints("Encodes")}
    assert list(found) == ["one", "one (uploads)", "one (uploads 2)", "one (uploads 3)"]
    assert sorted(found.values()) == sorted(paths)
