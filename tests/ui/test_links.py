"""Links that nobody's page wrote: each value is refused, and the page opens."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from genlib.data.datasets import find_mnist
from genlib.ui import menu
from genlib.ui.kit import links
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


class Behind(dict[str, str]):
    """Query parameters as a browser says them that has had no answer yet; notes what is sent."""

    def __init__(self, **said: str) -> None:
        super().__init__(**said)
        self.said, self.sent = said, [dict(said)]

    def __setitem__(self, key: str, text: str) -> None:
        super().__setitem__(key, text)
        self.sent.append(dict(self))

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.sent.append(dict(self))

    def run_again(self) -> None:
        """The script begins with what the browser says."""
        self.clear()
        self.update(self.said)


@pytest.mark.parametrize("said", [{}, {"at": "1"}], ids=["nothing", "one"])
def test_a_browser_that_is_behind_ends_at_the_link_of_now(
    said: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = Behind(**said)
    monkeypatch.setattr(links, "st", SimpleNamespace(query_params=address, session_state={}))
    for text in ("2", said.get("at", "")):  # there and back before the first answer
        address.run_again()
        links.show("at", text)
    assert address.sent[-1] == said
    assert {"at": "2"} in address.sent
    sent = len(address.sent)
    links.show("at", said.get("at", ""))
    assert len(address.sent) == sent, "written although nothing is new"
