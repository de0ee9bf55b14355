"""Downloads outlive the runs that Streamlit forgets them in."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from streamlit.runtime import media_file_manager, runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from genlib.ui.kit import downloads
from genlib.ui.kit.downloads import KEPT_S, Downloads


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Downloads:
    """Files of one visitor."""
    monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: "me")
    return Downloads(MemoryMediaFileStorage("/media"))


def run(files: MediaFileManager, text: str, button: str = "button") -> str:
    """A run with one button that saves a text; returns the name that the browser hears of."""
    files.clear_session_refs("me")
    name = files.add_deferred(lambda: text, "text/csv", "0.1", f"{text}.csv", element_id=button)
    files.remove_orphaned_files()
    return name


def content(files: MediaFileManager, url: str) -> bytes:
    """What a browser gets at an address."""
    name = re.sub(r"^/media/(\w+)\..*", r"\1", url)
    found = files.read_file(name)
    assert found is not None, "404"
    return found.content


def test_a_name_of_the_run_before_saves_what_the_button_saves_now(files: Downloads) -> None:
    first, _, last = run(files, "a"), run(files, "b"), run(files, "c")
    assert content(files, files.execute_deferred(first)) == b"c"
    assert content(files, files.execute_deferred(last)) == b"c"


def test_a_button_that_is_gone_or_disabled_saves_nothing(files: Downloads) -> None:
    first = run(files, "a")
    run(files, "b", "another button")
    with pytest.raises(MediaFileStorageError, match="not found"):
        files.execute_deferred(first)
    second = run(files, "c")
    files.remove_deferred("0.1", element_id="button")
    for name in (first, second, "never seen"):
        with pytest.raises(MediaFileStorageError, match="not found"):
            files.execute_deferred(name)


def test_another_visitor_s_button_is_another_one(
    files: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = run(files, "mine")
    monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: "you")
    files.add_deferred(lambda: "yours", None, "0.1", element_id="button")
    files.clear_session_refs("me")
    files.remove_orphaned_files()
    with pytest.raises(MediaFileStorageError, match="not found"):
        files.execute_deferred(mine)


@pytest.mark.parametrize(
    ("make", "stays"), [(MediaFileManager, False), (Downloads, True)], ids=["Streamlit", "here"]
)
def test_a_file_stays_until_the_browser_has_fetched_it(
    make: Callable[[MemoryMediaFileStorage], MediaFileManager],
    stays: bool,
    files: Downloads,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also while other visitors' runs end; not for ever."""
    clock = [0.0]
    monkeypatch.setattr(downloads.time, "monotonic", lambda: clock[0])
    files = make(MemoryMediaFileStorage("/media"))
    url = files.execute_deferred(run(files, "a"))
    for _ in range(30):
        files.remove_orphaned_files()
    name = re.sub(r"^/media/(\w+)\..*", r"\1", url)
    assert (files.read_file(name) is not None) == stays
    clock[0] = KEPT_S + 1
    for _ in range(2):  # Streamlit marks it first
        files.remove_orphaned_files()
    assert files.read_file(name) is None


def test_pictures_go_at_once_and_files_that_are_used_stay(
    files: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(downloads.time, "monotonic", lambda: clock[0])
    picture = files.add(b"picture", "image/png", "0.1")
    files.add(b"next", "image/png", "0.1")
    table = files.add(b"table", "text/csv", "0.2", is_for_static_download=True)
    files.remove_orphaned_files()
    with pytest.raises(AssertionError, match="404"):
        content(files, picture)
    clock[0] = 10 * KEPT_S
    for _ in range(3):
        files.remove_orphaned_files()
    assert content(files, table) == b"table"


def test_few_former_names_are_kept(files: Downloads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST", 3)
    first, *_ = (run(files, text) for text in "abcde")
    with pytest.raises(MediaFileStorageError, match="not found"):
        files.execute_deferred(first)


def test_the_server_keeps_files_like_this(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "MediaFileManager", MediaFileManager)
    downloads.install()
    assert vars(runtime)["MediaFileManager"] is Downloads
