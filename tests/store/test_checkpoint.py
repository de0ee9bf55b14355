"""Checkpoints come back as they were; anything else gets one sentence."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as to_bytes

from genlib.evaluate import upload
from genlib.models import FAMILIES, Model
from genlib.store import checkpoint
from genlib.store.checkpoint import CheckpointError
from tests.helpers import build


def tiny(family: str = "autoencoder") -> Model:
    return build(family, **({"latent_dim": 3} if family == "autoencoder" else {}))


def save(path: Path, model: Model | None = None, **changes: object) -> Path:
    checkpoint.save(path, model or tiny(), dataset="digits", seed=7, epoch=2, **changes)
    return path


@pytest.mark.parametrize("family", FAMILIES)
def test_save_peek_load(family: str, tmp_path: Path) -> None:
    model = tiny(family)
    history = [{"epoch": 1, "train/loss": 0.5}]
    path = save(tmp_path / "one.safetensors", model, train={"lr": 0.1}, history=history)
    info = checkpoint.peek(path)
    assert (info.name, info.family, info.dataset, info.seed, info.epoch) == (
        "one",
        family,
        "digits",
        7,
        2,
    )
    assert info.config == model.config.to_dict()
    assert info.train == {"lr": 0.1} and info.history == history
    assert info.parameters == sum(t.numel() for t in model.state_dict().values())
    loaded = checkpoint.load(path)
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_half_precision_loads_as_float32(tmp_path: Path) -> None:
    path = save(tmp_path / "half.safetensors", half=True)
    whole = save(tmp_path / "whole.safetensors")
    assert path.stat().st_size < 0.6 * whole.stat().st_size
    loaded = checkpoint.load(path)
    weight = tiny().state_dict()["encoder.0.weight"]
    assert loaded.state_dict()["encoder.0.weight"].dtype == torch.float32
    assert torch.allclose(loaded.state_dict()["encoder.0.weight"], weight, atol=1e-4)


def test_a_failed_write_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "one.safetensors")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        save(path, tiny("vae"))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["one.safetensors"]


def test_snapshots_in_order_ending_with_the_checkpoint(tmp_path: Path) -> None:
    path = save(tmp_path / "one.safetensors")
    for epoch in (1, 0):
        save(tmp_path / "one.snapshots" / f"epoch-{epoch:04d}.safetensors")
    assert [e for e, _ in checkpoint.peek(path).snapshots] == [0, 1, 2]
    assert checkpoint.peek(path).snapshots[-1][1] == path


def _described(meta: dict[str, object], tensors: dict[str, torch.Tensor]) -> bytes:
    return to_bytes(tensors, {"genlib": json.dumps(meta)})


def _meta(path: Path, **changes: object) -> dict[str, object]:
    head = checkpoint.header(path)
    meta = json.loads(head["__metadata__"]["genlib"])  # type: ignore[index]
    return {**meta, **changes}


def test_uploads_that_are_refused(tmp_path: Path) -> None:
    good = save(tmp_path / "good.safetensors")
    data = good.read_bytes()
    weights = tiny().state_dict()
    nan = {k: torch.full_like(t, float("nan")) for k, t in weights.items()}
    bad = {
        "": "is not a safetensors file",
        "empty": (b"", "is not a safetensors file"),
        "text": (b"hello world, this is no model", "is not a safetensors file"),
        "truncated": (data[:-100], "truncated or damaged"),
        "longer": (data + b"xx", "truncated or damaged"),
        "huge header": (struct.pack("<Q", 2**62) + data, "is not a safetensors file"),
        "foreign": (to_bytes({"w": torch.zeros(2)}), "of another program"),
        "list": (struct.pack("<Q", 2) + b"[]" + b"   ", "is not a safetensors file"),
        "family": (_described(_meta(good, family="llm"), weights), "unknown family 'llm'"),
        "config": (
            _described(_meta(good, config={"latent_dim": 10**9}), weights),
            "latent_dim must be between",
        ),
        "shape": (_described(_meta(good, config={"latent_dim": 4}), weights), "of shape"),
        "names": (_described(_meta(good), {"w": torch.zeros(2)}), "does not hold the weights"),
        "version": (_described(_meta(good, version=99), weights), "format version 99"),
        "history": (_described(_meta(good, history=3), weights), "damaged genlib description"),
        "numbers": (_described(_meta(good), nan), "not finite"),
    }
    bad.pop("")
    for case, (content, message) in bad.items():
        with pytest.raises(CheckpointError, match=message) as caught:
            upload.check_upload(content, "mine.safetensors")
        assert "\n" not in str(caught.value), case


def test_upload_of_other_kinds_and_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save(tmp_path / "good.safetensors").read_bytes()
    assert upload.check_upload(data, "../../evil/good.safetensors").path == Path("good.safetensors")
    with pytest.raises(CheckpointError, match=r"not a \.safetensors file"):
        upload.check_upload(data, "model.pt")
    monkeypatch.setattr(upload, "MAX_UPLOAD", 100)
    with pytest.raises(CheckpointError, match="at most"):
        upload.check_upload(data, "good.safetensors")


def test_listing_leaves_out_what_is_no_checkpoint(tmp_path: Path) -> None:
    save(tmp_path / "b.safetensors")
    save(tmp_path / "a.safetensors")
    (tmp_path / "c.safetensors").write_bytes(b"junk")
    assert [info.name for info in checkpoint.listing(tmp_path)] == ["a", "b"]
    assert checkpoint.listing(tmp_path / "nowhere") == []


def test_missing_file() -> None:
    with pytest.raises(CheckpointError, match="No checkpoint was found at"):
        checkpoint.peek(Path("nowhere.safetensors"))


def altered(path: Path, **changes: object) -> Path:
    """Rewrite the description in a checkpoint's header, as a stranger might."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + size])
    meta = {**json.loads(head["__metadata__"]["genlib"]), **changes}
    head["__metadata__"]["genlib"] = json.dumps(meta).replace('"INFINITE"', "1e400")
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": "INFINITE"}, "damaged genlib description"),
        ({"train": {"classes": "cat,dog"}}, "class 'cat'"),
    ],
)
def test_an_upload_that_no_page_could_show_is_refused(
    changes: dict[str, object], said: str, tmp_path: Path
) -> None:
    path = altered(save(tmp_path / "odd.safetensors"), **changes)
    with pytest.raises(CheckpointError, match=said):
        upload.check_upload(path.read_bytes(), path.name)


def test_an_upload_for_images_of_another_size_is_refused(tmp_path: Path) -> None:
    family = FAMILIES["autoencoder"]
    odd = family(family.Config.from_dict({"latent_dim": 3, "image_size": 32}))
    path = save(tmp_path / "odd.safetensors", odd)
    with pytest.raises(CheckpointError, match="works on 1×32×32 images"):
        upload.check_upload(path.read_bytes(), path.name)


def test_a_name_is_one_short_line(tmp_path: Path) -> None:
    path = altered(save(tmp_path / "one.safetensors"), name="a   b" * 40)
    name = checkpoint.peek(path).name
    assert len(name) <= checkpoint.MAX_NAME and "  " not in name


def test_a_description_is_not_given_to_a_file_that_comes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "a.safetensors")
    other = tmp_path / "b.safetensors"
    checkpoint.save(other, tiny(), dataset="digits", seed=7, epoch=7)
    write = Path.write_bytes

    def slow(self: Path, data: bytes) -> int:
        other.replace(path)
        return write(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", slow)
        with pytest.raises(CheckpointError, match=r"a\.safetensors has been replaced"):
            checkpoint.retitle(path, "new")
    assert (checkpoint.peek(path).epoch, checkpoint.peek(path).name) == (7, "b")
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_an_unchanged_file_is_checked_once_and_a_changed_one_again(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    model = tiny()
    checkpoint.save(path, model, dataset="mnist", seed=0, epoch=1)
    first = checkpoint.peek(path)
    assert checkpoint.peek(path) is first
    checkpoint.save(path, model, dataset="mnist", seed=0, epoch=2)
    assert checkpoint.peek(path).epoch == 2
