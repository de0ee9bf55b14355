"""A read-only server: pages show everything, offer nothing that changes something."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlib.runs import queue
from genlib.runs.directory import RunSpec
from genlib.ui.kit import rights
from tests.helpers import browse

TRAIN = {"epochs": 1, "batch_size": 50, "limit": 200}
CHANGES = {
    *("train.start", "run.stop", "run.resume", "run.pause", "run.delete", "runs.delete"),
    *("sweep.start", "train.download"),
}


@pytest.fixture
def readonly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> queue.Run:
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path))
    run = queue.create(RunSpec("autoencoder", "digits", {"latent_dim": 2}, TRAIN))
    monkeypatch.setenv("GENLIB_READONLY", "1")
    return run


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("train/train.py", {}),
        ("train/train.py", {"train.show": "Watch"}),
        ("train/train.py", {"train.show": "Upload"}),
        ("train/runs.py", {}),
    ],
)
def test_nothing_that_changes_something_is_offered(
    readonly: queue.Run, page: str, query: dict[str, str]
) -> None:
    app = browse(page, "", **query)
    keys = {str(b.key) for b in app.button}
    assert not keys & CHANGES and not any("delete" in key or "restore" in key for key in keys)
    assert not app.get("file_uploader") and not app.text_input
    if query.get("train.show") != "Watch":
        assert rights.NOTE in [note.value for note in app.info]


def test_a_page_that_was_open_before_changes_nothing(
    readonly: queue.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_READONLY", "0")
    app = browse("train/runs.py")
    monkeypatch.setenv("GENLIB_READONLY", "1")
    app.button(key="runs.delete").click().run()
    assert not app.exception and queue.get(readonly.id) is not None
    assert rights.NOTE in [toast.value for toast in app.toast]


def test_deep_dream_takes_no_picture(readonly: queue.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by its own control nor by a link that a teacher's page had."""
    app = browse("classifiers/deep_dream.py", "deep_dream", picture="upload")
    pictures = app.segmented_control(key="deep_dream.picture")
    assert "Your own" not in pictures.options and pictures.value == "china"
    assert not app.get("file_uploader")
    monkeypatch.setenv("GENLIB_READONLY", "0")
    app = browse("classifiers/deep_dream.py", "deep_dream", picture="upload")
    assert app.get("file_uploader"), "what the link does elsewhere"
