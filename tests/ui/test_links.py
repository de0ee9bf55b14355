"""Links that nobody's page wrote: each value is refused, and the page opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlib.data.datasets import find_mnist
from genlib.ui import menu
from tests.helpers import browse, lessons_of, ok

PAGES = [page for page in menu.PAGES if lessons_of(page)]


@pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")
@pytest.mark.parametrize("value", ["inf", ""])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_opens_whatever_its_link_says(page: menu.Page, value: str, shipped: Path) -> None:
    known = {key for one in lessons_of(page) for key in (*one.before, *one.state)}
    known |= {"map.seed", "map.by"} if page.stem == "latent_map" else set()
    known |= {"denoise.digit.nth"} if page.stem == "denoise" else set()
    assert known
    browse(page.file, **dict.fromkeys(known, value))


def test_a_text_may_say_inf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path))
    app = browse("train/train.py", **{"train.dataset": "digits"})
    app.query_params["train.autoencoder.classes"] = "inf"  # as a browser does with what is typed
    ok(app.text_input(key="train.autoencoder.classes").set_value("inf").run())
    ok(app.run())
    assert app.text_input(key="train.autoencoder.classes").value == "inf"
