"""A read-only server: pages show everything, offer nothing that changes something."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genlib.runs import queue as runs
from genlib.runs.directory import RunSpec
from genlib.ui.kit import rights

TRAIN = {"epochs": 1, "batch_size": 50, "limit": 200}
ROOT = Path(__file__).resolve().parents[2]
CHANGES = {
    *("train.start", "run.stop", "run.resume", "run.pause", "run.delete", "runs.delete"),
    *("sweep.start", "train.download"),
}


@pytest.fixture
def readonly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> runs.Run:
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path))
    run = runs.create(RunSpec("autoencoder", "digits", {"latent_dim": 2}, TRAIN))
    monkeypatch.setenv("GENLIB_READONLY", "1")
    return run


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "router.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name.replace("__", ".")] = value
    app.run()
    app.switch_page(page).run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("train/train.py", {}),
        ("train/train.py", {"train__show": "Watch"}),
        ("train/train.py", {"train__show": "Upload"}),
        ("train/runs.py", {}),
    ],
)
def test_nothing_that_changes_something_is_offered(
    readonly: runs.Run, page: str, query: dict[str, str]
) -> None:
    app = opened(page, **query)
    keys = {str(b.key) for b in app.button}
    assert not keys & CHANGES and not any("delete" in key or "restore" in key for key in keys)
    assert not app.get("file_uploader") and not app.text_input
    if query.get("train__show") != "Watch":
        assert rights.NOTE in [note.value for note in app.info]


def test_a_page_that_was_open_before_changes_nothing(
    readonly: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_READONLY", "0")
    app = opened("train/runs.py")
    monkeypatch.setenv("GENLIB_READONLY", "1")
    app.button(key="runs.delete").click().run()
    assert not app.exception and runs.get(readonly.id) is not None
    assert rights.NOTE in [toast.value for toast in app.toast]


def test_deep_dream_takes_no_picture(readonly: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by its own control nor by a link that a teacher's page had."""
    link = {"deep_dream__picture": "upload"}
    app = opened("classifiers/deep_dream.py", **link)
    pictures = app.segmented_control(key="deep_dream.picture")
    assert "Your own" not in pictures.options and pictures.value == "flower"
    assert not app.get("file_uploader")
    monkeypatch.setenv("GENLIB_READONLY", "0")
    app = opened("classifiers/deep_dream.py", **link)
    assert app.get("file_uploader"), "what the link does elsewhere"
