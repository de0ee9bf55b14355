"""The GAN page with hardly any pictures, with a run's previews, and which classifier judges."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from genlib.data.pictures import registry
from genlib.data.pictures.registry import keep_zip
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.models.ebgan import EBGAN, EBGANSettings
from genlib.models.gan import MLPGAN, MLPGANSettings
from genlib.models.vae import VAE, VAESettings
from genlib.store import checkpoint
from genlib.ui.adversarial.gan import data
from tests.helpers import visit

VIEWS = ("Samples", "Walk", "Verdict", "Training", "Coverage", "Step by step")


@pytest.fixture
def folder(shelf: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Checkpoints, runs, datasets and their cache in a folder of the test's own."""
    monkeypatch.setattr(data, "N", 20)
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return shelf({})


def pictures(n: int, shade: int = 0, classes: tuple[str, ...] = ("cats", "dogs")) -> bytes:
    """A zip of n pictures, by turns of each class."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(n):
            one = io.BytesIO()
            Image.new("RGB", (8, 8), (30 * i, 50, shade)).save(one, "PNG")
            archive.writestr(f"{classes[i % len(classes)]}/{i}.png", one.getvalue())
    return buffer.getvalue()


def gan(folder: Path, dataset: str, size: int = 32, channels: int = 3) -> checkpoint.Info:
    settings = MLPGANSettings(latent_dim=4, hidden=(8,), image_size=size, channels=channels)
    file = folder / "gan.safetensors"
    checkpoint.save(file, MLPGAN(settings), dataset=dataset, seed=0, epoch=1)
    return checkpoint.peek(file)


def classifier(
    folder: Path,
    dataset: str,
    n: int = 2,
    size: int = 32,
    channels: int = 3,
    adversarial_eps: float = 0.0,
) -> Path:
    settings = ClassifierSettings(
        n_classes=n,
        width=2,
        dense=4,
        image_size=size,
        channels=channels,
        adversarial_eps=adversarial_eps,
    )
    file = folder / "judge.safetensors"
    checkpoint.save(file, Classifier(settings), dataset=dataset, seed=0, epoch=1)
    return file


def run(page: str = "gan", **query: str) -> AppTest:
    return visit(f"adversarial/{page}.py", page, **query)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("n", [2, 3])
def test_two_and_three_pictures_are_enough_for_every_view(folder: Path, view: str, n: int) -> None:
    name = keep_zip(pictures(n), "pets.zip").name
    gan(folder, name)
    classifier(folder, name)
    app = run(view=view, groups="Merged")
    said = " ".join(box.value for box in app.info)
    assert ("has only one" in said) == (view == "Coverage" or (view, n) == ("Step by step", 2))
    if view == "Verdict":
        assert any("training images" in c.value for c in app.caption)
        app.segmented_control(key="gan.judged.image").set_value("Merged").run()
        assert not app.exception
        assert any("merged with itself" in c.value for c in app.caption)


def test_three_pictures_train_by_hand_in_batches_of_two(folder: Path) -> None:
    gan(folder, keep_zip(pictures(3), "pets.zip").name)
    app = run(view="Step by step")
    assert any("the same 2 real images and the same 64 z" in c.value for c in app.caption)
    app.button(key="gan.duel.once.both").click().run()
    assert not app.exception and not app.error
    assert any("1 steps of G and 1 of D" in c.value for c in app.caption)


def test_other_pages_of_two_pictures_raise_nothing(folder: Path) -> None:
    name = keep_zip(pictures(2), "pets.zip").name
    classifier(folder, name)
    assert data.judge_of(gan(folder, name)) is None
    sizes = {"latent_dim": 4, "hidden": (8,), "image_size": 32, "channels": 3}
    for family in (VAE(VAESettings(**sizes)), EBGAN(EBGANSettings(cost_hidden=(8,), **sizes))):
        file = folder / f"{family.family}.safetensors"
        checkpoint.save(file, family, dataset=name, seed=0, epoch=1)
    run("gan_vs_vae")
    run("ebgan")
    run("ebgan", view="Training")


def test_a_folder_s_judge_comes_from_the_same_pictures(folder: Path) -> None:
    ours = keep_zip(pictures(12), "pets.zip").name
    other = keep_zip(pictures(12, shade=9), "pets.zip").name
    large = keep_zip(pictures(12), "pets.zip", size=64).name
    grey = keep_zip(pictures(12), "pets.zip", colour="grey").name
    names = (ours, other, large, grey)
    assert names == tuple(registry.PREFIX + n for n in ("pets", "pets-2", "pets-64", "pets-grey"))

    def judged(dataset: str, by: str, **settings: int) -> bool:
        classifier(folder, by, **settings)
        return data.judge_of(gan(folder, dataset, 64 if dataset == large else 32)) is not None

    assert judged(ours, ours) and judged(large, ours) and judged(ours, large, size=64)
    assert not judged(other, ours) and not judged(ours, other)
    assert not judged(ours, ours, n=3)
    assert not judged(ours, grey, channels=1)
    assert not judged(ours, ours, adversarial_eps=1), "robust ones are no judges"


def test_sources_of_shipped_datasets() -> None:
    assert data.source_of("cifar10-64") == data.source_of("cifar10") == "cifar10"
    assert data.source_of("mnist") != data.source_of("mnist-2")
    assert data.source_of("folder:gone-64") == "folder:gone-64"


def test_a_replaced_judge_counts_anew(folder: Path) -> None:
    name = keep_zip(pictures(12), "pets.zip").name
    info, file = gan(folder, name), classifier(folder, name)
    counts = []
    for favourite in (0, 1):
        model = checkpoint.load(file)
        assert isinstance(model, Classifier)
        with torch.no_grad():
            model.layers[-1].bias.copy_(100 * torch.eye(2)[favourite])  # type: ignore[operator]
        checkpoint.save(file, model, dataset=name, seed=0, epoch=1)
        judge = data.judge_of(info)
        assert judge is not None
        found = data.coverage_of(info.path, judge, 0)
        counts.append(tuple(np.add(found.counts, found.unlike)))
    assert counts == [(20, 0), (0, 20)]


def test_an_epoch_with_a_preview_only_draws_no_other_z(folder: Path) -> None:
    home = folder / "runs/one"
    (home / "previews").mkdir(parents=True)
    model = MLPGAN(MLPGANSettings(latent_dim=4, hidden=(8,)))
    checkpoint.save(home / "model.safetensors", model, name="a", dataset="mnist", seed=0, epoch=2)
    for epoch in (0, 1, 2):
        np.save(home / f"previews/epoch-{epoch:04}.npy", np.zeros((16, 1, 28, 28), np.uint8))
    app = run(view="Training", epoch="1")
    slider = app.select_slider(key="gan.epoch")
    assert slider.options == ["0", "1", "2"] and "weights or images" in slider.help
    new = app.button(key="gan.new")
    assert new.disabled and "Only images were saved" in new.help
    assert [b.proto.label for b in app.get("download_button")] == ["Kept epochs (GIF)"]
    slider.set_value(2).run()
    assert not app.exception and not app.button(key="gan.new").disabled
