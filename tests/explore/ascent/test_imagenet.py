"""ImageNet networks: torchvision's layers and weights, through files that are checked."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from genlib.explore.ascent import imagenet
from genlib.explore.ascent.lens import Lens
from genlib.explore.ascent.weights import WeightsError, write
from tests.explore.ascent.climbing import CPU
from tests.helpers import rng


@pytest.mark.parametrize("name", imagenet.SOURCES)
def test_the_networks_are_torchvisions(name: str) -> None:
    import torchvision

    few = {"aux_logits": False, "transform_input": True, "init_weights": False}
    build = getattr(torchvision.models, name)
    with torch.device("meta"):  # without weights of its own: it takes ours
        theirs = build(weights=None, **(few if name == "googlenet" else {})).eval()
    network = imagenet.untrained(name)
    assert [n for n, _ in network.module.named_modules()] == [n for n, _ in theirs.named_modules()]
    theirs.load_state_dict(network.module.state_dict(), assign=True)
    x = torch.randn(2, 3, 96, 64, generator=rng())
    torch.testing.assert_close(network.module(x), theirs(x))
    weights = torchvision.models.get_model_weights(name).DEFAULT
    assert list(network.classes) == weights.meta["categories"]


def test_a_lens_keeps_its_weights_once() -> None:
    """What it was made from may be forgotten: nothing else holds the memory."""
    network = imagenet.untrained("squeezenet1_1")
    weak = weakref.ref(network.module)
    lens = Lens(network, CPU, torch.bfloat16)
    del network
    gc.collect()
    assert weak() is None
    assert lens.network.module is lens.module and len(lens.network.classes) == 1000


def test_weights_go_through_a_file_and_foreign_ones_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save

    made = imagenet.untrained("squeezenet1_1")
    assert not made.trained and len(made.classes) == 1000
    again = imagenet.untrained("squeezenet1_1").module.state_dict()
    assert all(torch.equal(v, again[k]) for k, v in made.module.state_dict().items())
    state = made.module.state_dict()
    path = imagenet.keep("squeezenet1_1", save(state), tmp_path)
    assert imagenet.find("squeezenet1_1", tmp_path) == path
    loaded = imagenet.load("squeezenet1_1", path)
    x = torch.rand(1, 3, 64, 64, generator=rng())
    assert loaded.trained and torch.equal(loaded.module(x), made.module(x))
    for data, says in (
        (b"not a file", "not a readable"),
        (save({"a": torch.zeros(2)}), "is missing or"),
        (save({**state, "extra": torch.zeros(1)}), "also has extra"),
    ):
        with pytest.raises(WeightsError, match=says):
            imagenet.keep("squeezenet1_1", data, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_torchvisions_own_file_is_checked_and_nothing_is_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    state: dict[str, Tensor] = imagenet.untrained("squeezenet1_1").module.state_dict()
    torch.save(state, tmp_path / "squeezenet1_1.pth")
    found = imagenet.find("squeezenet1_1")
    assert found is not None and imagenet.load("squeezenet1_1", found).trained
    torch.save(state, tmp_path / imagenet.SOURCES["squeezenet1_1"].file)
    found = imagenet.find("squeezenet1_1")
    assert found is not None
    with pytest.raises(WeightsError, match="wrong checksum"):
        imagenet.load("squeezenet1_1", found)
    torch.save(nn.Linear(1, 1), tmp_path / "resnet18.pth")  # a pickled object, not plain tensors
    with pytest.raises(WeightsError, match="not a file of plain weights"):
        imagenet.load("resnet18", tmp_path / "resnet18.pth")


def test_offline_is_one_sentence_and_a_damaged_download_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagenet, "HOST", "http://127.0.0.1:9/")
    with pytest.raises(WeightsError, match="could not be downloaded"):
        imagenet.download("resnet18", lambda share: None)
    with pytest.raises(WeightsError, match="damaged"):
        write(tmp_path / "w.pth", iter([b"abc"]), "00000000")
    assert not list(tmp_path.iterdir())


def test_a_lens_folds_resnets_norms_and_names_its_layers() -> None:
    network = imagenet.untrained("resnet18")
    lens = Lens(network, CPU, torch.float32)
    assert {"layer1", "layer2", "layer3", "layer4"} <= {layer.name for layer in lens.layers}
    x = torch.rand(1, 3, 64, 64, generator=rng())
    plain = network.module((x - lens.mean) / lens.std)
    torch.testing.assert_close(lens.scores(x), plain, rtol=1e-3, atol=1e-3 * float(plain.std()))
