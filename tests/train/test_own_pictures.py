"""Pictures of one's own on the Train page: bring, decode, choose, train, remove."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from genlib import background
from genlib.background import Cancelled
from genlib.data import datasets
from genlib.data.pictures import decode, registry
from genlib.runs import queue
from genlib.ui.kit.plain import JOINER
from tests.helpers import browse, ok, until

page = partial(browse, "train/train.py", "train", dataset="digits")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A shelf, a cache and runs of the test's own."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path / "shipped"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GENLIB_FOLDERS", "on")
    yield tmp_path
    for name in registry.entries():
        background.forget(f"decode {name}")  # the next test's may have the same name


def pets(classes: tuple[str, ...] = ("cats", "dogs"), n: int = 6) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for c in classes:
            for i in range(n):
                one = io.BytesIO()
                Image.new("RGB", (40, 30), (20 * i, 50, 90)).save(one, "PNG")
                archive.writestr(f"{c}/{i}.png", one.getvalue())
    return buffer.getvalue()


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    return ok(app.file_uploader[0].set_value((name, data, "application/zip")).run())


def decoded(app: AppTest) -> AppTest:
    """Run the page again once the thread has decoded."""
    name = str(app.selectbox(key="train.dataset").value)
    job = background.find(f"decode {name}")
    until(lambda: job is None or not job.busy)
    return ok(app.run())


@pytest.mark.usefixtures("nothing_starts")
def test_an_uploaded_zip_is_decoded_chosen_trained_on_and_removed() -> None:
    app = upload(page(), "my pets.zip", pets())
    assert app.selectbox(key="train.dataset").value == "folder:my-pets"
    said = app.success[0].value.replace("\\", "").replace(JOINER, "")
    assert "my pets is the dataset folder:my-pets" in said
    app = decoded(app)
    assert any("10 training images" in caption.value for caption in app.caption)
    ok(app.selectbox(key="train.family").set_value("residual_classifier").run())
    ok(app.button(key="train.start").click().run())
    (run,) = queue.listing()
    assert run.spec.dataset == "folder:my-pets"
    ok(app.segmented_control(key="train.show").set_value("New run").run())
    ok(app.button(key="pictures.remove.folder:my-pets").click().run())
    assert "folder:my-pets" not in app.selectbox(key="train.dataset").options
    ok(app.button(key="pictures.undo").click().run())
    assert "folder:my-pets" in app.selectbox(key="train.dataset").options
    ok(app.button(key="pictures.remove.folder:my-pets").click().run())
    del app.session_state["pictures.removed"]  # as the second click of a double click finds it
    ok(app.button(key="pictures.undo").click().run())


def taken_already() -> None:
    import streamlit as st
    from streamlit.runtime.uploaded_file_manager import DeletedFile

    from genlib.ui.kit import guard

    st.session_state["file"] = DeletedFile("1")
    assert guard.uploaded("file") is None
    assert guard.uploaded("none") is None


def test_a_file_that_was_taken_already_is_not_taken_again() -> None:
    ok(AppTest.from_function(taken_already, default_timeout=60).run())


@pytest.mark.parametrize(
    ("colour", "name", "shape"),
    [("grey", "folder:pets-28-grey", (1, 28, 28)), ("colour", "folder:pets-28", (3, 28, 28))],
)
def test_pictures_of_the_size_of_digits(
    colour: str, name: str, shape: tuple[int, int, int]
) -> None:
    app = page()
    app.segmented_control(key="pictures.size").set_value(28)
    app.segmented_control(key="pictures.colour").set_value(colour)
    app = decoded(upload(ok(app.run()), "pets.zip", pets()))
    assert app.selectbox(key="train.dataset").value == name
    assert datasets.load(name).shape == shape
    for family in ("vae", "dcgan_28", "classifier"):
        ok(app.selectbox(key="train.family").set_value(family).run())
        assert not app.error and not app.button(key="train.start").disabled


def test_a_named_folder_with_other_options(folder: Path) -> None:
    place = folder / "shots"
    with zipfile.ZipFile(io.BytesIO(pets())) as archive:
        archive.extractall(place)
    app = page()
    app.segmented_control(key="pictures.size").set_value(64)
    app.segmented_control(key="pictures.colour").set_value("grey")
    ok(app.run())
    app.text_input(key="pictures.path").set_value(str(place))
    ok(app.button[[b.label for b in app.button].index("Add")].click().run())
    app = decoded(app)
    assert datasets.load("folder:shots-64-grey").shape == (1, 64, 64)
    assert not app.button(key="train.start").disabled


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"no zip", "is not a zip file"), (pets(n=0), "is empty"), (b"", "is not a zip file")],
)
def test_what_cannot_be_used_is_one_sentence_and_changes_nothing(
    data: bytes, sentence: str
) -> None:
    app = upload(page(), "a.zip", data)
    assert len(app.error) == 1 and sentence in app.error[0].value
    assert app.selectbox(key="train.dataset").value == "digits"
    assert registry.entries() == {}


def test_a_path_that_is_not_there_is_one_sentence() -> None:
    app = page()
    app.text_input(key="pictures.path").set_value("/no/such/place")
    ok(app.button[[b.label for b in app.button].index("Add")].click().run())
    assert "There is nothing at" in app.error[0].value


@pytest.mark.parametrize(
    ("said", "address", "may"),
    [("", None, True), ("", "10.0.0.7", False), ("on", "10.0.0.7", True), ("off", None, False)],
)
def test_who_may_name_folders_of_the_server(
    said: str, address: str | None, may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_FOLDERS", said)
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda _: address))
    app = page()
    assert ("pictures.path" in [field.key for field in app.text_input]) == may
    assert any("only be named on the server itself" in text.value for text in app.caption) != may


def test_a_classifier_needs_classes_and_a_family_says_what_it_cannot_take() -> None:
    app = decoded(upload(page(), "a.zip", pets(classes=("one",))))
    ok(app.selectbox(key="train.family").set_value("classifier").run())
    assert "no classes to tell apart" in app.error[0].value
    assert app.button(key="train.start").disabled
    ok(app.selectbox(key="train.family").set_value("pixelcnn").run())
    assert "cannot take a (32×32 pixels, colour)" in app.error[0].value
    assert app.button(key="train.start").disabled


def test_decoding_can_be_cancelled_and_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def stalled(*given: object) -> None:
        cancelled = given[4]
        assert callable(cancelled)
        while not cancelled():
            time.sleep(0.01)
        raise Cancelled

    with monkeypatch.context() as patch:
        patch.setattr(decode, "decode", stalled)
        app = upload(page(), "pets.zip", pets())
        ok(app.button(key="pictures.cancel").click().run())
        app = decoded(app)
        assert "not decoded yet" in app.info[0].value
    ok(app.button(key="pictures.again").click().run())
    app = decoded(app)
    assert not app.button(key="train.start").disabled
