"""The page "One digit, every model": every family speaks, ranks arrive, changes are noticed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from genlib import background
from genlib.data.datasets import to_float
from genlib.explore import dossier
from genlib.explore.changes import CHANGES
from genlib.models import FAMILIES, Model
from genlib.ui.kit import loading
from genlib.ui.side_by_side.one_digit import data, view
from tests.helpers import html, ok, poll, until, visit

run = partial(visit, "side_by_side/one_digit.py", "one_digit")


SMALL: dict[str, dict[str, object]] = {  # settings that keep each family quick
    "ae": {"hidden": (8,)},
    "autoencoder": {"latent_dim": 2},
    "denoising": {"latent_dim": 4},
    "vae": {"latent_dim": 2, "hidden": (8,)},
    "conv_vae": {"latent_dim": 3, "width": 2},
    "gan_mlp": {"latent_dim": 4, "hidden": (8,)},
    "dcgan_28": {"latent_dim": 4, "width": 8},
    "ebgan": {"latent_dim": 4, "hidden": (8,), "cost_hidden": (8,)},
    "rbm": {"n_hidden": 8},
    "pixelcnn": {"width": 4, "blocks": 1},
    "pixelrnn": {"width": 4, "layers": 1},
    "classifier": {"width": 2, "dense": 8},
    "pca": {"latent_dim": 4},
    "mixture": {"latent_dim": 4, "components": 3, "warm_up": 200},
}


def small_models() -> dict[str, Model]:
    """One small untrained model of every family that takes 28x28 grey digits, by family."""
    torch.manual_seed(0)
    models = {}
    for name, family in FAMILIES.items():
        model = family(family.Config.from_dict(SMALL.get(name, {})))
        if model.config.shape == (1, 28, 28):
            models[name] = model.eval()
    return models


@pytest.fixture
def every(shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> dict[str, Model]:
    """A shelf with a small model of every family, and few digits behind the ranks."""
    monkeypatch.setattr(data, "N_REAL", 20)
    monkeypatch.setattr(data, "N_CODES", 100)
    models = small_models()
    shelf(models)
    return models


def ranked(app: AppTest) -> AppTest:
    """The page once all real digits are measured."""
    return poll(app, lambda: "measuring real digits" not in html(app))


def test_every_family_says_something_and_changes_are_seen(every: dict[str, Model]) -> None:
    app = ranked(run())
    said = html(app)
    for name in every:
        assert f"data-model='{name}'" in said
    assert f'data-ranks="{len(every)}"' in said
    shares = [int(s) for s in re.findall(r"stranger than (\d+)% of real digits", said)]
    assert len(shares) > len(every) and all(0 <= s <= 100 for s in shares)
    for change in view.NAMES:
        ok(app.segmented_control(key="one_digit.change").set_value(change).run())
        assert html(app) != said


@pytest.mark.usefixtures("shipped")
def test_an_inverted_digit_is_strange_to_whom_the_page_says() -> None:
    digits = loading.dataset()
    row = (digits.test_y == 4).nonzero()[3, 0]  # the digit that the page opens with
    x = to_float(digits.test_x[row])
    inverted = CHANGES["invert"].apply(x[None], 1.0, x)
    infos = {info.name: info for info in data.models_for(digits.shape)}

    def strange(name: str) -> float:
        model = loading.model(infos[name])
        first = dossier.readings_of(model)[0]
        real = dossier.measure(model, to_float(digits.test_x[:200]))[first.name]
        value = float(dossier.measure(model, inverted)[first.name][0])
        return dossier.strangeness(value, real, first)

    for name in ("pca-50", "mixture-50", "vae-2", "vae-20", "conv-vae-20", "ae-slides-2d"):
        assert strange(name) >= view.ALARM, name
    assert max(strange("ae-30"), strange("ae-500")) < view.ALARM
    told = data.dossiers([infos["ae-slides-2d"], infos["ae-30"]], x, {})
    assert ["Trained only on 1, 5, 6" in d.words for d in told] == [True, False]


def test_the_real_digits_of_a_model_do_not_depend_on_which_others_are_there(
    every: dict[str, Model],
) -> None:
    infos = [info for info in data.models_for((1, 28, 28)) if info.name in ("vae", "pca")]

    def measured(infos: list[loading.Info]) -> data.Known:
        job = data.real_digits(infos)
        until(lambda: not job.busy)
        assert isinstance(job.result, dict), job.error
        return job.result

    together = measured(infos)
    for info in infos:
        for name, values in measured([info])[str(info.path)].items():
            assert values == pytest.approx(together[str(info.path)][name]), (info.name, name)


def test_measuring_again_counts_among_the_visitor_s_jobs(
    every: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked(run())

    def fail(job: background.Job) -> object:
        raise ValueError("no room")

    real = data.real_digits(data.models_for((1, 28, 28)))
    failed = background.restart(real.name, fail)
    until(lambda: not failed.busy)
    monkeypatch.setenv("GENLIB_MAX_JOBS", "0")
    app = run()
    assert "no room" in app.warning[0].value
    app.button(key="one_digit.again").click().run()
    assert "at most 0 are allowed" in app.toast[0].value
    assert background.find(real.name) is failed
    monkeypatch.setenv("GENLIB_MAX_JOBS", "1")
    app.button(key="one_digit.again").click().run()
    again = background.find(real.name)
    assert again is not failed and again is not None and again.owner


def test_the_link_holds_a_drawing_and_nonsense_does_no_harm(every: dict[str, Model]) -> None:
    image = (torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0)) * 15).round() / 15
    text = view.to_link(image)
    back = view.from_link(text)
    assert back is not None and torch.allclose(back, image)
    for bad in ("", "x", text[:-9], "%%%", "A" * 5000):
        assert view.from_link(bad) is None
    one, other = html(run()), html(run(ink=text))
    assert one != other
    assert html(run(ink="nonsense")) == one or "data-ranks" in html(run(ink="nonsense"))
