"""A model that is deleted elsewhere while a page shows it: the page goes on with another one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from genlib.models.gan import MLPGAN, MLPGANSettings
from genlib.models.pixelcnn import PixelCNN, PixelCNNSettings
from genlib.store import checkpoint

MODELS = {
    "gan": MLPGAN(MLPGANSettings(latent_dim=4, hidden=(8,))),
    "pixelcnn": PixelCNN(PixelCNNSettings(width=4, blocks=1)),
}


@pytest.fixture
def fleeting(app_runs: Path, shipped: Path) -> Iterator[Callable[[str], Path]]:
    """fleeting("gan") -> the file of a run's model, called "fleeting-gan (your run)"."""
    made: list[Path] = []

    def make(family: str) -> Path:
        file = app_runs / f"fleeting-{family}" / "model.safetensors"
        name = file.parent.name
        checkpoint.save(file, MODELS[family], name=name, dataset="mnist", seed=0, epoch=1)
        made.append(file)
        return file

    yield make
    for file in made:
        file.unlink(missing_ok=True)


def goes_on(page: Page, settle: Callable[..., None], shown: Locator) -> None:
    """The picker shows another model, and nothing is broken."""
    expect(shown).not_to_have_value(re.compile("fleeting"))
    settle(page)


def shows(page: Page) -> Locator:
    """The picker of models, which shows the fleeting one."""
    picker = page.get_by_role("combobox", name="Model", exact=True)
    expect(picker).to_have_value(re.compile("fleeting"))
    return picker


@pytest.mark.parametrize("view", ["Samples", "Walk"])
def test_the_gan_page_goes_on(
    open_page: Callable[..., Page],
    settle: Callable[..., None],
    fleeting: Callable[[str], Path],
    view: str,
) -> None:
    file = fleeting("gan")
    query = f"gan.model=fleeting-gan%20(your%20run)&gan.view={view}"
    page = open_page(f"gan?{query}")
    picker = shows(page)
    file.unlink()
    if view == "Samples":
        page.get_by_role("radio", name="Sample 8", exact=True).click()
    else:
        page.locator(".z-walk").get_by_role("slider").first.press("ArrowRight")
    goes_on(page, settle, picker)


def test_the_page_of_autoregressive_models_goes_on(
    open_page: Callable[..., Page],
    settle: Callable[..., None],
    fleeting: Callable[[str], Path],
) -> None:
    file = fleeting("pixelcnn")
    query = "pixelcnn.model=fleeting-pixelcnn%20(your%20run)"
    page = open_page(f"pixelcnn?{query}")
    canvas = page.locator("canvas.main").first
    canvas.wait_for()
    picker = shows(page)
    page.get_by_role("checkbox", name="Receptive field").first.check()  # which the server computes
    settle(page)
    file.unlink()
    canvas.scroll_into_view_if_needed()
    canvas.hover(position={"x": 90, "y": 90})
    goes_on(page, settle, picker)
