"""What is shipped is what the recipes and checkpoints/README.md say."""

from __future__ import annotations

import pytest
import torch

from genlib import environment
from genlib.cli import main
from genlib.data import datasets
from genlib.settings import TrainSettings
from genlib.store import checkpoint
from genlib.store.checkpoint import Info
from genlib.store.recipes import RECIPES

FOLDER = environment.root() / "checkpoints"
SHIPPED = {info.name: info for info in checkpoint.listing(FOLDER)}


def test_every_shipped_recipe_has_its_checkpoint_and_no_more() -> None:
    assert set(SHIPPED) == {name for name, recipe in RECIPES.items() if recipe.shipped}


@pytest.mark.parametrize("info", SHIPPED.values(), ids=SHIPPED.keys())
def test_checkpoint_follows_its_recipe(info: Info) -> None:
    recipe = RECIPES[info.name]
    assert (info.family, info.dataset) == (recipe.family, recipe.dataset)
    # Settings that came later stand at their defaults.
    trained = TrainSettings.from_dict(info.train).to_dict()
    assert trained == TrainSettings.from_dict({**recipe.train, **recipe.more}).to_dict()
    for name, value in recipe.model.items():
        assert info.config[name] == (list(value) if isinstance(value, tuple) else value)
    assert [epoch for epoch, _ in info.snapshots] == sorted({*recipe.snapshots, info.epoch})
    trainings = [recipe.train, {**recipe.train, **recipe.more}][: 1 + bool(recipe.more)]
    epochs = sum(TrainSettings.from_dict(train).epochs for train in trainings)
    assert info.epoch == epochs == info.history[-1]["epoch"]
    for _, path in info.snapshots:
        state = checkpoint.load(path).state_dict()
        assert all(bool(t.isfinite().all()) for t in state.values())


def test_the_page_about_them_is_written_from_their_headers() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert page == main.markdown(list(SHIPPED.values()))


def test_they_stay_small() -> None:
    assert sum(f.stat().st_size for f in FOLDER.rglob("*.safetensors")) < 60_000_000


def value(name: str, metric: str) -> float:
    return float(str(SHIPPED[name].metrics[metric]["value"]))


def test_they_reach_what_they_should() -> None:
    assert value("vae-20", "neg_elbo") <= 103.5
    assert value("dae-500", "auc_merge_alpha") >= 0.97
    assert abs(value("ae-30", "auc_merge_alpha") - 0.5) < 0.05
    assert value("classifier", "accuracy") >= 0.99
    assert value("classifier-robust", "accuracy") >= 0.98
    assert value("classifier-robust", "accuracy_attacked") >= 0.7
    assert value("classifier-cifar-robust", "accuracy") >= 0.75
    assert value("classifier-cifar-robust", "accuracy_attacked") >= 0.4
    assert value("pixelcnn", "nll") <= 84
    assert value("pixelrnn", "nll") <= 85.5
    assert value("classifier-cifar", "accuracy_mirrored") >= 0.9
    assert value("rbm-500", "nll_ais") <= 100
    assert value("dbn-500-500", "nll_ais") < value("rbm-500", "nll_ais")
    assert value("dcgan-28", "frechet") <= value("vae-20", "frechet") / 2
    assert value("dcgan-28", "classes_covered") == 10
    assert value("gan-mlp", "frechet") <= 80
    assert value("dcgan-64", "frechet") <= 60
    assert value("dcgan-64", "in_class") >= 0.6
    assert [epoch for epoch, _ in SHIPPED["ebgan"].snapshots] == [1, 5, 25]


@pytest.mark.skipif(datasets.find_mnist() is None, reason="MNIST is not here")
def test_the_header_of_the_classifier_is_true() -> None:
    data = datasets.load("mnist")
    model = checkpoint.load(SHIPPED["classifier"])
    x, y = datasets.to_float(data.test_x[:2000]), data.test_y[:2000]
    accuracy = (model.logits(x).argmax(1) == y).float().mean().item()  # type: ignore[operator]
    spread = 4 * torch.tensor(0.006 / 2000).sqrt().item()
    assert accuracy == pytest.approx(value("classifier", "accuracy"), abs=spread)
