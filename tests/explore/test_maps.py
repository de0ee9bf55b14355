"""Stored maps: what `genlib maps` computes is what the page shows, and never for other weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genlib import environment
from genlib.cli.main import main
from genlib.data import datasets
from genlib.explore import maps
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.store import checkpoint

SHIPPED = [i for i in checkpoint.listing(environment.root() / "checkpoints") if maps.has_maps(i)]


@pytest.fixture
def info(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> checkpoint.Info:
    """A small autoencoder of the embedded digits at epochs 0 and 2."""
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path))
    torch.manual_seed(0)
    for file, epoch in (("tiny.snapshots/epoch-0000", 0), ("tiny", 2)):
        model = Autoencoder(AutoencoderSettings(latent_dim=4))
        path = tmp_path / f"{file}.safetensors"
        checkpoint.save(path, model, name="tiny", dataset="digits", seed=0, epoch=epoch)
    return checkpoint.peek(tmp_path / "tiny.safetensors")


def test_the_command_stores_one_map_for_each_snapshot(
    info: checkpoint.Info, capsys: pytest.CaptureFixture[str]
) -> None:
    assert maps.read(info.path) is None
    assert main(["maps"]) == 0
    assert "2 maps" in capsys.readouterr().out
    found = maps.read(info.path)
    assert found is not None and maps.is_current(info)
    data = datasets.load("digits")
    chosen = maps.choose(data, data, maps.POINTS)
    assert found.suits(chosen, maps.PERPLEXITY, maps.SEED)
    assert (found.numbers == chosen.numbers).all()
    assert set(found.positions) == {0, 2}
    assert all(p.shape == (len(chosen.rows), 2) for p in found.positions.values())
    computed = maps.compute(info)
    for (epoch, path), total in zip(info.snapshots, (300, 500), strict=True):
        frame = found.frame(epoch, path, info.path)
        assert frame is not None and frame.iteration == frame.total == total
        assert np.abs(frame.positions - computed.positions[epoch]).max() < 0.05  # half precision
    assert main(["maps", "tiny"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_maps_of_other_weights_images_or_settings_are_not_used(info: checkpoint.Info) -> None:
    maps.write(info.path, maps.compute(info))
    found = maps.read(info.path)
    assert found is not None
    data = datasets.load("digits")
    chosen = maps.choose(data, data, maps.POINTS)
    assert not found.suits(chosen, maps.PERPLEXITY + 1, maps.SEED)
    assert not found.suits(chosen, maps.PERPLEXITY, maps.SEED + 1)
    assert not found.suits(maps.choose(data, data, 100), maps.PERPLEXITY, maps.SEED)
    other = maps.Chosen(chosen.rows, chosen.numbers, 255 - chosen.pictures)
    assert not found.suits(other, maps.PERPLEXITY, maps.SEED)
    (first, snapshot), (last, path) = info.snapshots
    content = path.read_bytes()
    path.write_bytes(content)  # a new modification time alone changes nothing
    assert found.frame(first, snapshot, path) is not None
    model = Autoencoder(AutoencoderSettings(latent_dim=4))
    checkpoint.save(path, model, name="tiny", dataset="digits", seed=0, epoch=last)
    assert found.frame(last, path, path) is None
    assert found.frame(first, snapshot, path) is None, "it is aligned with another map"
    assert found.frame(1, snapshot, path) is None
    assert not maps.is_current(info)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_file_is_as_good_as_none(info: checkpoint.Info, content: bytes) -> None:
    maps.file_of(info.path).write_bytes(content)
    assert maps.read(info.path) is None


def test_a_file_with_pickled_objects_is_not_opened(info: checkpoint.Info) -> None:
    with maps.file_of(info.path).open("wb") as file:
        np.savez(file, about=np.array([object()], dtype=object))
    assert maps.read(info.path) is None


@pytest.mark.parametrize("info", SHIPPED, ids=[i.name for i in SHIPPED])
def test_every_shipped_model_has_maps_of_its_weights(info: checkpoint.Info) -> None:
    assert maps.is_current(info), "run: genlib maps"


def test_shipped_maps_stay_small() -> None:
    files = (environment.root() / "checkpoints").glob(f"*{maps.SUFFIX}")
    assert sum(file.stat().st_size for file in files) < 300_000


def test_a_name_without_maps_is_one_sentence(
    info: checkpoint.Info, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["maps", "nothing"]) == 2
    assert "no model 'nothing' has maps; choose one of tiny" in capsys.readouterr().err
