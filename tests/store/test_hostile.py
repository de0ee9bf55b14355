"""Hostile checkpoints are refused in one short sentence, before they cost memory or work."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
import torch

from genlib import environment
from genlib.data import datasets
from genlib.data.pictures.decode import cache_file
from genlib.evaluate import upload
from genlib.models import FAMILIES
from genlib.settings import Settings, TrainSettings
from genlib.store import checkpoint
from genlib.store.checkpoint import CheckpointError
from genlib.store.tensorfile import header
from genlib.ui.train.upload import keep
from tests.store.test_checkpoint import altered, save, tiny

MEMORY = 50_000_000  # bytes that a refusal may take beyond the file
CALLS = 300_000  # of functions: a tenth of a second


def raw(head: object, data: bytes = b"") -> bytes:
    """A safetensors file with any header at all."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data


def description(**changes: object) -> dict[str, str]:
    meta = {
        "version": 1,
        "name": "x",
        "family": "autoencoder",
        "config": {},
        "dataset": "digits",
        "seed": 0,
        "epoch": 0,
        "train": {},
        "history": [],
        "metrics": {},
    }
    return {"genlib": json.dumps({**meta, **changes})}


def described(tensors: dict[str, object], data: bytes = b"", **changes: object) -> bytes:
    return raw({"__metadata__": description(**changes), **tensors}, data)


def tensor(shape: list[object], first: int, last: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [first, last]}


def cost(work: Callable[[], object]) -> tuple[int, int]:
    """Most bytes that Python held at once, and calls of functions, while ``work`` ran."""
    calls = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    tracemalloc.start()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak, calls


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    """What torch imports at its first use is none of a file's cost."""
    with torch.device("meta"):
        for family in FAMILIES.values():
            family(family.Config())


def refused(path: Path, data: bytes) -> str:
    """What is said of an upload that must be refused at a low cost."""
    said: list[str] = []

    def attempt() -> None:
        with pytest.raises(CheckpointError) as caught:
            upload.check_upload(data, path.name)
        said.append(str(caught.value))

    peak, calls = cost(attempt)
    assert peak < MEMORY and calls < CALLS
    assert len(said[0]) < 400 and said[0].isprintable()
    return said[0]


# ------------------------------------------------------------------------- shapes and offsets

WEIGHTS = {name: list(t.shape) for name, t in tiny().state_dict().items()}


@pytest.mark.parametrize(
    ("tensors", "length", "said"),
    [
        # 984 bytes that promise gigabytes: offsets and shapes are at odds.
        ({k: tensor([100_000, 100_000], 0, 8) for k in WEIGHTS}, 8, "doesn't take the 8 bytes"),
        ({k: tensor(s, 0, 4) for k, s in WEIGHTS.items()}, 4, "doesn't take the 4 bytes"),
        ({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, 12, "overlap or leave gaps"),
        ({"a": tensor([2], 0, 8), "b": tensor([2], 0, 8)}, 8, "overlap or leave gaps"),
        ({"a": tensor([2], 0, 8), "b": tensor([2], 16, 24)}, 24, "overlap or leave gaps"),
        ({"a": tensor([2], 4, 12)}, 12, "overlap or leave gaps"),
        ({"a": tensor([2], 8, 0)}, 8, "doesn't take"),
        ({"a": tensor([-2], 8, 0)}, 8, "can't have the shape"),
        ({"a": tensor([0, 2**64], 0, 0)}, 0, "can't have the shape"),
        ({"a": tensor([True, 2], 0, 8)}, 8, "can't have the shape"),
        ({"a": tensor([2.0], 0, 8)}, 8, "can't have the shape"),
        ({"a": tensor([1] * 9, 0, 4)}, 4, "can't have the shape"),
        ({"a": tensor([1] * 50_000, 0, 4)}, 4, "can't have the shape"),
        ({"a": tensor([1] * 400_000, 0, 4)}, 4, "is not a safetensors file"),
        ({"a": tensor([1], 0, 4, "F33")}, 4, "not allowed: 'F33'"),
        ({"a": {"dtype": "F32", "shape": [1]}}, 4, "damaged header"),
        ({"a": 7}, 4, "damaged header"),
        ({"a\0": tensor([1], 0, 4)}, 4, "can't name a tensor"),
    ],
)
def test_tensors_must_fill_the_file_as_their_shapes_say(
    tensors: dict[str, object], length: int, said: str
) -> None:
    assert said in refused(Path("a.safetensors"), described(tensors, bytes(length)))


@pytest.mark.parametrize(
    "head",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" + b"[]," * 1_300_000 + b"[]]",
        b'{"__metadata__": {"genlib": "' + b"[" * 3_900_000 + b'"}}',
        b'{"__metadata__": {"genlib": "[' + b"{}," * 1_000_000 + b'{}]"}}',
        b'{"a": ' + b"1" * 5000 + b"}",
        '{"a": "é"}'.encode(),
    ],
)
def test_a_header_that_is_deep_or_full_of_values_is_not_unfolded(head: bytes) -> None:
    assert "safetensors file" in refused(Path("a.safetensors"), raw(head))


@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("autoencoder", {"hidden": [4096] * 17}),
        ("autoencoder", {"hidden": [1] * 60_000}),
        ("vae", {"hidden": [4096] * 16}),
        ("ebgan", {"cost_hidden": [4096] * 16, "hidden": [4096] * 16}),
        ("dbn", {"n_hidden": [4096] * 16}),
        ("pixelcnn", {"width": 256, "blocks": 20}),
        ("residual_classifier", {"widths": [512] * 7, "image_size": 256}),
    ],
)
def test_a_large_model_is_not_built_for_a_small_file(
    family: str, config: dict[str, object], tmp_path: Path
) -> None:
    data = described({"w": tensor([2], 0, 8)}, bytes(8), family=family, config=config)
    refused(Path("a.safetensors"), data)
    path = tmp_path / "a.safetensors"
    path.write_bytes(data)
    with pytest.raises(CheckpointError):
        checkpoint.build(checkpoint.peek(path))  # fresh weights, as the duel of GANs begins with


def test_whole_numbers_where_weights_belong_are_refused() -> None:
    sizes = {name: 8 * t.numel() for name, t in tiny().state_dict().items()}
    tensors, end = {}, 0
    for name, size in sizes.items():
        tensors[name] = tensor(WEIGHTS[name], end, end + size, "I64")
        end += size
    data = described(tensors, bytes(end), config={"latent_dim": 3})
    assert "number format" in refused(Path("a.safetensors"), data)


# ------------------------------------------------------------------------- the description

ODD = ["\ud800", "a\0b", "a\nb", "\x1b[31m", "‮gnp.exe", "x" * 201]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize(
    "place",
    [
        lambda t: {"name": t},
        lambda t: {"family": t},
        lambda t: {"dataset": t},
        lambda t: {"config": {"latent_dim": 3, "activation": t}},
        lambda t: {"config": {t: 3}},
        lambda t: {"train": {"note": t}},
        lambda t: {"train": {t: 1}},
        lambda t: {"used": {"device": t}},
        lambda t: {"train": {"notes": [["a", t]]}},
        lambda t: {"history": [{"epoch": 1, t: 1}]},
        lambda t: {"metrics": {"nll": {**METRIC, "data": t}}},
        lambda t: {"metrics": {"nll": {**METRIC, "unit": t}}},
        lambda t: {"metrics": {t: METRIC}},
    ],
)
def test_text_that_cannot_be_shown_is_refused(
    place: Callable[[str], dict[str, object]], text: str, tmp_path: Path
) -> None:
    path = altered(save(tmp_path / "odd.safetensors"), **place(text))
    with pytest.raises(CheckpointError, match="damaged genlib description") as caught:
        checkpoint.peek(path)
    said = str(caught.value)
    assert said.isprintable() and len(said) < 400 and "x" * 81 not in said


METRIC = {"value": 1.5, "stderr": 0.1, "unit": "nats", "n": 10, "data": "digits test"}


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": {"nll": {}}},
        *({"metrics": {"nll": {k: v for k, v in METRIC.items() if k != gone}}} for gone in METRIC),
        {"metrics": {"nll": {**METRIC, "value": "low"}}},
        {"metrics": {"nll": {**METRIC, "value": "INFINITE"}}},
        {"metrics": {"nll": {**METRIC, "value": float("nan")}}},
        {"metrics": {"nll": {**METRIC, "stderr": None}}},
        {"metrics": {"nll": {**METRIC, "n": 2.5}}},
        {"metrics": {"nll": {**METRIC, "n": -1}}},
        {"metrics": {"nll": {**METRIC, "unit": 3}}},
        {"metrics": {"nll": {**METRIC, "more": {"deep": 1}}}},
        {"metrics": {"nll": 3}},
        {"metrics": []},
        {"history": {"epoch": 1}},
        {"history": [3]},
        {"history": [[["epoch", 1]]]},
        {"history": [{"train/loss": 1.0}]},
        {"history": [{"epoch": 1, "train/loss": "low"}]},
        {"history": [{"epoch": 1, "train/loss": None}]},
        {"history": [{"epoch": 1, "train/loss": True}]},
        {"history": [{"epoch": 1, "train/loss": "INFINITE"}]},
        {"history": [{"epoch": 1, "train/loss": 10**400}]},
        {"history": [{"epoch": 1}] * 20_001},
        {"train": {"lr": "fast"}},
        {"train": {"lr": 10**400}},
        {"train": {"epochs": -1}},
        {"train": {"note": "INFINITE"}},
        {"train": {"note": {"deep": 1}}},
        {"train": {"note": [[[[[1]]]]]}},
        {"train": "fast"},
        {"config": [1]},
        {"seed": "7"},
        {"seed": -1},
        {"seed": True},
        {"seed": 2**63},
        {"epoch": 1.5},
        {"epoch": None},
    ],
    ids=lambda changes: json.dumps(changes)[:70],
)
def test_numbers_that_no_page_could_show_are_refused(
    changes: dict[str, object], tmp_path: Path
) -> None:
    path = altered(save(tmp_path / "odd.safetensors"), **changes)
    with pytest.raises(CheckpointError, match="damaged genlib description") as caught:
        checkpoint.peek(path)
    assert len(str(caught.value)) < 400
    assert checkpoint.listing(tmp_path) == []


def test_what_genlib_or_a_later_one_writes_is_accepted(tmp_path: Path) -> None:
    path = altered(
        save(tmp_path / "good.safetensors"),
        name="Ärger  mit 数字 🙂",
        train={**TrainSettings().to_dict(), "used": "bfloat16", "lr_changes": [[3, 0.01]]},
        history=[{"epoch": 1, "train/loss": 0.5, "seconds": 3}],
        metrics={"nll": {**METRIC, "noise": 0.01}},
    )
    info = checkpoint.peek(path)
    assert info.name == "Ärger mit 数字 🙂" and info.metrics["nll"]["noise"] == 0.01
    checkpoint.load(info)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 500])
def test_what_is_saved_can_be_read_whatever_a_run_is_called(name: str, tmp_path: Path) -> None:
    assert checkpoint.peek(save(tmp_path / "one.safetensors", name=name)).name


@pytest.mark.parametrize(
    "value", ["x" * 5000, ["x" * 100] * 5000, 10**4000, {"x" * 200: "y" * 200}]
)
def test_messages_repeat_little_of_a_value(value: object, tmp_path: Path) -> None:
    places: list[dict[str, object]] = [
        {"version": value},
        {"config": {"latent_dim": value}},
        {"config": {"activation": value}},
        {"config": {"hidden": value}},
        {"config": {"hidden": [value]}},
        {"seed": value},
    ]
    for changes in places:
        path = altered(save(tmp_path / "odd.safetensors"), **changes)
        said = refused(path, path.read_bytes())
        assert "x" * 81 not in said and "1" + "0" * 80 not in said


@pytest.mark.parametrize(
    ("cls", "values"),
    [
        (TrainSettings, {"schedule": "x" * 500}),
        (TrainSettings, {"lr": "x" * 500}),
        (TrainSettings, {"lr": 10**5000}),
        (TrainSettings, {"epochs": 10**5000}),
        (TrainSettings, {"x" * 500: 1}),
        (TrainSettings, {"classes": "x" * 500}),
        (TrainSettings, {"classes": "a\0"}),
        (FAMILIES["vae"].Config, {"hidden": [1] * 17}),
        (FAMILIES["vae"].Config, {"hidden": ["x" * 500]}),
    ],
)
def test_settings_repeat_little_of_a_value(cls: type[Settings], values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))[:9]) as caught:
        cls.from_dict(values)
    said = str(caught.value)
    assert len(said) < 300 and "x" * 81 not in said and said.isprintable()


@pytest.mark.parametrize("text", ["x" * 500, "1" * 500])
def test_settings_from_the_command_line_repeat_little(text: str) -> None:
    for name in ("lr", "epochs", "schedule"):
        with pytest.raises(ValueError, match=name) as caught:
            TrainSettings.parse({name: text})
        assert len(str(caught.value)) < 300


# ------------------------------------------------------------------------- uploads


@pytest.mark.parametrize(
    "filename", ["a\0b.safetensors", "\ud800.safetensors", "ä" * 500 + ".safetensors", "x/../.."]
)
def test_any_name_of_an_uploaded_file_is_taken_or_refused(
    filename: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    data = save(tmp_path / "good.safetensors").read_bytes()
    if filename.endswith(".safetensors"):
        kept = keep(data, upload.check_upload(data, filename))
        assert kept.path.parent == environment.uploads_dir()
        checkpoint.load(kept)
    with pytest.raises(CheckpointError) as caught:
        keep(data[:-9], upload.check_upload(data[:-9], filename))
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


def test_weights_that_give_no_finite_numbers_are_refused(tmp_path: Path) -> None:
    vae = tiny("vae")
    with torch.no_grad():
        vae.state_dict()["encoder.3.bias"].fill_(1e38)  # finite, but exp(logvar) is not
    data = save(tmp_path / "wild.safetensors", vae).read_bytes()
    with pytest.raises(CheckpointError, match="not finite"):
        upload.check_upload(data, "wild.safetensors")


def test_a_file_with_nan_is_not_loaded_from_anywhere(tmp_path: Path) -> None:
    model = tiny()
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    path = save(tmp_path / "nan.safetensors", model)
    with pytest.raises(CheckpointError, match="not finite"):
        checkpoint.load(path)


def test_an_upload_that_names_a_dataset_decodes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.data.test_folders import pets, zipped

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "folders", lambda: [tmp_path])
    # A file of that name is here, but reading it as a zip would fail.
    (tmp_path / datasets.CIFAR_ZIP).write_bytes(b"no zip")
    family = FAMILIES["residual_classifier"]
    model = family(family.Config.from_dict({"channels": 3, "image_size": 32, "widths": [8, 8, 8]}))
    path = save(tmp_path / "mine.safetensors", model)
    data = altered(path, dataset="cifar10", train={"classes": "cat,dog"}).read_bytes()
    assert upload.check_upload(data, path.name).dataset == "cifar10"
    data = altered(path, dataset="cifar10", train={"classes": "wolf"}).read_bytes()
    with pytest.raises(CheckpointError, match="'wolf' is not one of airplane"):
        upload.check_upload(data, path.name)

    from genlib.data.pictures import registry

    entry = registry.register(zipped(tmp_path / "pets.zip", pets()))
    try:
        data = altered(path, dataset=entry.name, train={"classes": "cats"}).read_bytes()
        assert upload.check_upload(data, path.name).dataset == entry.name
        assert not cache_file(entry).exists()
    finally:
        registry.remove(entry.name)


def test_shapes_are_checked_without_torchs_compiler() -> None:
    """Importing it takes seconds and 100 MB; arithmetic on tensors without memory would."""
    code = """
import sys, torch
from genlib.models import FAMILIES
for family in FAMILIES.values():
    config = family.Config()
    if "init_std" in config.to_dict():
        config = config.replace(init_std=0.1)
    with torch.device("meta"):
        assert all(t.is_meta for t in family(config).parameters())
    assert "torch._dynamo" not in sys.modules, family
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_every_shipped_file_passes_as_an_upload(shipped: Path) -> None:
    for path in sorted(shipped.rglob("*.safetensors")):
        header(path)
        checkpoint.load(path)
