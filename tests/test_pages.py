"""Every page runs without an exception: with the shipped checkpoints, and with none."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

from genlib.store import checkpoint
from genlib.ui import menu
from genlib.ui.kit import loading
from tests.helpers import ROOT, browse, lessons_of, ok, visit

FILES = [page.file for page in menu.PAGES]


def test_the_menu_lists_every_script_once() -> None:
    scripts = {f"{path.parent.name}/{path.name}" for path in (ROOT / "pages").glob("*/*.py")}
    assert len(FILES) == len(set(FILES)) and set(FILES) == scripts
    assert len({page.path for page in menu.PAGES}) == len(FILES)
    assert len({page.stem for page in menu.PAGES}) == len(FILES), "menu.page finds them by stem"
    assert all(menu.page(page.stem) is page for page in menu.PAGES)


def test_the_router_runs() -> None:
    assert browse().title[0].value


@pytest.mark.parametrize("page", FILES)
def test_page_with_shipped_checkpoints(page: str, shipped: Path) -> None:
    assert browse(page).title, "a page starts with its title"


# page -> what no checkpoint can do there; the pages not named show something without any.
NEEDED = {
    "architectures": "be shown",
    "few_labels": "encode images",
    "latent_space": "encode images and decode images",
    "latent_map": "encode images",
    "reconstructions": "reconstruct images",
    "denoise": "denoise images",
    "merged_digits": "reconstruct images and give an energy",
    "gan": "train a generator against a discriminator and decode images",
    "gan_vs_vae": "tell real images from generated ones and draw new images",
    "ebgan": "push the energy of its samples up to a margin and draw new images",
    "rbm": "run a Gibbs chain between layers of binary units",
    "pixelcnn": "predict pixel by pixel",
    "one_digit": "give an energy",
    "likelihood": "bound the likelihood",
}


@pytest.mark.parametrize("page", menu.PAGES, ids=lambda page: page.stem)
def test_page_without_any_checkpoint(
    page: menu.Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path / "none"))
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    st.cache_data.clear()
    app = browse(page.file)
    assert app.title, "a page starts with its title, also when there is nothing to show"
    assert not app.metric
    said = [box.value for box in app.info]
    what = NEEDED.get(page.stem)
    if what:
        assert said == [f"No checkpoint can {what} yet. Train a model on the Train page."]
    if page.stem == "home":
        assert "Train one on the Train page" in said[0]
    if page.stem == "map_of_models":
        assert any("PixelCNN" in part.proto.json for part in app.get("bidi_component"))
    if page.stem == "reconstructions":
        kernels = browse(page.file, "reconstructions", show="Kernels")
        assert "No checkpoint can show its kernels yet" in kernels.info[0].value


# page -> what is moved on it, in order: kind of widget, key, value (None: a press). A page without
# an entry is moved by its lessons: it opens on the state of each question and of each answer.
MOVES: dict[str, list[tuple[str, str, object]]] = {
    "start/home.py": [],  # only links
    "foundations/few_labels.py": [
        ("button", "few.ten", None),
        ("selectbox", "few.classifier", "Logistic regression"),
    ],
    "foundations/architectures.py": [
        ("selectbox", "architectures.model", "dcgan-28"),
        ("button", "architectures.again", None),
    ],
    "train/train.py": [("number_input", "train.autoencoder.latent_dim", 20)],
    "train/runs.py": [("selectbox", "sweep.setting", "init_std")],
    "latents/latent_space.py": [
        ("number_input", "latent_space.digit.nth", 2),
        ("button_group", "latent_space.view", "Generate"),
    ],
    "latents/latent_map.py": [("button_group", "map.by", "PCA")],
    "latents/reconstructions.py": [
        ("selectbox", "reconstructions.class", "3"),
        ("button_group", "reconstructions.show", "Kernels"),
    ],
    "energy/denoise.py": [("selectbox", "denoise.kind", "Gaussian noise")],
    "energy/merged_digits.py": [("button_group", "merged.how", "Max")],
    "adversarial/gan.py": [
        ("button_group", "gan.view", "Verdict"),
        ("button_group", "gan.view", "Step by step"),
    ],
    "adversarial/gan_vs_vae.py": [("selectbox", "versus.gan", "gan-mlp")],
    "adversarial/ebgan.py": [("number_input", "ebgan.image.digit.nth", 2)],
    "boltzmann/rbm.py": [
        ("number_input", "rbm.digit.nth", 2),
        ("button_group", "rbm.view", "Weights"),
    ],
    "autoregressive/pixelcnn.py": [("slider", "pixelcnn.rows", 26)],
    "side_by_side/one_digit.py": [("button_group", "one_digit.change", "Invert")],
    "side_by_side/likelihood.py": [("selectbox", "likelihood.model", "pca-50")],
    "side_by_side/pca.py": [("number_input", "pca.digit.nth", 1)],
    "classifiers/class_images.py": [
        ("button", "class_images.step", None),
        ("selectbox", "class_images.network", "classifier-cifar"),
        ("slider", "class_images.octaves", 3),
        ("button", "class_images.step", None),
    ],
    "classifiers/deep_dream.py": [
        ("button", "deep_dream.step", None),
        ("selectbox", "deep_dream.layer", "layers.2"),
        ("button", "deep_dream.step", None),
    ],
}


def move(app: AppTest, kind: str, key: str, value: object) -> AppTest:
    widget = getattr(app, kind)(key=key)
    changed = widget.click() if value is None else widget.set_value(value)
    return changed.run()


def unlike_its_file(model: nn.Module, fresh: nn.Module) -> list[str]:
    """What of a shared model is not as it comes from its file."""
    there, here = fresh.state_dict(), model.state_dict()
    wrong = [] if list(there) == list(here) else ["names"]
    for name in there.keys() & here.keys():
        a, b = there[name], here[name]
        same = (a.dtype, a.device, a.stride()) == (b.dtype, b.device, b.stride())
        if not same or not torch.equal(a, b):
            wrong.append(name)
    for name, p in model.named_parameters():
        if p.requires_grad or p.grad is not None:
            wrong.append(f"gradient of {name}")
    for name, part in model.named_modules():
        hooks = (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks)
        if part.training or any(hooks):
            wrong.append(f"mode or hooks of {name}")
    return wrong


def test_every_page_in_both_formats_leaves_every_cached_model_as_its_file_says(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOVES.keys() <= set(FILES)
    taught = {page.file: lessons_of(page) for page in menu.PAGES}
    assert all(page in MOVES or taught[page] for page in FILES), "each page is moved"
    load, loaded = checkpoint.load, dict[str, list[nn.Module]]()

    def noted(path: Path, device: str = "cpu") -> nn.Module:
        model = load(path, device)
        loaded.setdefault(str(path), []).append(model)
        return model

    monkeypatch.setattr(checkpoint, "load", noted)  # a model may leave the cache before the end
    st.cache_resource.clear()
    # bfloat16 first: what it does to shared models is met by all the pages after it.
    for precision in ("bfloat16", "float32"):
        monkeypatch.setenv("GENLIB_PRECISION", precision)
        for page in ("classifiers/class_images.py", *FILES):
            app = browse(page)
            for kind, key, value in MOVES.get(page, ()):
                ok(move(app, kind, key, value), f"{page} in {precision}: {key} = {value}")
            for lesson in () if page in MOVES else taught[page]:
                visit(page, **lesson.before)
                visit(page, **lesson.state)
    infos = loading.checkpoints()
    assert len(loaded) >= len(infos) / 2, "the pages load what they show through one function"
    for info in infos:
        loading.model(info)  # those that no page showed are in the cache now, too
    assert {str(info.path) for info in infos} <= loaded.keys()
    for path, models in loaded.items():
        fresh = load(Path(path))
        for model in models:
            assert not unlike_its_file(model, fresh), path
