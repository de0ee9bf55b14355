"""Home: its gallery, its pictures and its empty state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genlib.background import Job
from genlib.store import checkpoint
from genlib.ui.start import gallery, thumbnails
from tests.helpers import ROOT, browse


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[checkpoint.Info]:
    """One untrained, tiny model of each family that Home draws from."""
    import genlib.models
    from genlib.models import FAMILIES

    assert genlib.models
    folder = tmp_path / "checkpoints"
    sizes = {"autoencoder": {"latent_dim": 3}, "denoising": {"latent_dim": 4}}
    sizes |= {"vae": {"latent_dim": 2, "hidden": (8,)}, "classifier": {}}
    sizes |= {"gan_mlp": {"hidden": (8,)}, "rbm": {"n_hidden": 4, "chains": 2}}
    sizes |= {"pixelcnn": {"width": 4, "blocks": 1}, "ebgan": {}}
    for family, config in sizes.items():
        model = FAMILIES[family](FAMILIES[family].Config(**config))
        history = [{"epoch": e, "train/loss": 1 / e} for e in (1, 2, 3)]
        checkpoint.save(
            folder / f"{family}.safetensors",
            model,
            dataset="mnist",
            seed=0,
            epoch=3,
            history=history,
        )
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(folder))
    return gallery.shipped()


def drawn(infos: list[checkpoint.Info]) -> gallery.Gallery:
    """What the job of Home's gallery has drawn when it is done."""
    job = Job("test gallery", lambda job: gallery.draw(job, infos))
    job.run()
    assert job.state == "done" and isinstance(job.result, gallery.Gallery)
    return job.result


def test_every_drawing_is_on_a_card_and_every_card_has_a_page() -> None:
    assert {card.drawing for card in gallery.CARDS} - {""} == set(thumbnails.DRAWINGS)
    assert all((ROOT / "pages" / card.file).is_file() for card in gallery.CARDS)


def test_home_numbers_its_first_clicks_and_shows_them_in_that_order(
    tiny: list[checkpoint.Info],
) -> None:
    app = browse()
    assert not app.exception
    links = [element.proto for element in app.get("page_link")]
    first = [link for link in links if link.icon.startswith(":material/counter_")]
    assert [link.icon for link in first] == [f":material/counter_{n}:" for n in (1, 2, 3)]
    assert [link.page for link in first] == ["latent-space", "merged-digits", "latent-map"]
    assert first[0].query_string == "", "there is no vae-2 here that a link could open"


def test_a_page_without_a_drawing_gets_a_blank_card(
    tiny: list[checkpoint.Info], monkeypatch: pytest.MonkeyPatch
) -> None:
    only = tuple(replace(card, drawing="") for card in gallery.CARDS[:1])
    monkeypatch.setattr(gallery, "CARDS", only)
    found = drawn(tiny)
    assert not found.pictures and not found.missing


def test_pictures_have_the_size_that_the_page_shows(tiny: list[checkpoint.Info]) -> None:
    shelf = thumbnails.Shelf(tiny)
    for name, drawing in thumbnails.DRAWINGS.items():
        picture = drawing(shelf)
        assert picture.dtype == np.uint8, name
        assert picture.shape[:2] == (thumbnails.HEIGHT, thumbnails.WIDTH), name
        assert np.ptp(picture) > 0, f"{name}: an empty picture"


def test_a_missing_capability_costs_one_picture_only(tiny: list[checkpoint.Info]) -> None:
    only_vae = [info for info in tiny if info.family == "vae"]
    found = drawn(only_vae)
    assert "latents/latent_space.py" in found.pictures
    without = {"energy/denoise.py", "classifiers/class_images.py", "classifiers/deep_dream.py"}
    without |= {"adversarial/gan.py", "boltzmann/rbm.py", "autoregressive/pixelcnn.py"}
    without |= {"adversarial/gan_vs_vae.py", "adversarial/ebgan.py"}
    assert set(found.missing) == without
    assert all(text.endswith(".") for text in found.missing.values())


def test_the_merge_of_two_digits_is_drawn_from_pure_to_pure(tiny: list[checkpoint.Info]) -> None:
    shelf = thumbnails.Shelf(tiny)
    top = thumbnails.merged(shelf)[:56]
    first, last = shelf.digits((3, 6))
    small = top[::2, ::2]
    np.testing.assert_allclose(small[:, :28], first[0].numpy() * 255, atol=0.51)
    np.testing.assert_allclose(small[:, -28:], last[0].numpy() * 255, atol=0.51)
