"""Your own images: upload a zip or name a folder, watch it decode, remove it from the list.

Each dataset is decoded by one background job, one after the other. Decoded pictures go to the
user's cache, so that a dataset is decoded once, and training processes find it there.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from genlib import background
from genlib.background import Job, Places
from genlib.data import datasets
from genlib.data.pictures import registry
from genlib.data.pictures.registry import COLOURS, DEFAULT_SIZE, SIZES, Entry
from genlib.data.pictures.source import FolderError
from genlib.environment import LimitError
from genlib.ui.kit import guard, images, rights
from genlib.ui.kit.jobs import as_drawn, polled
from genlib.ui.kit.plain import plain

PLACES = Places(1, turn_s=math.inf)  # decoding takes memory: one after the other
COUNT = "pictures.count"  # a new uploader after each file, so that no file is taken twice
OUTCOME = "pictures.outcome"
REMOVED = "pictures.removed"
SHOWN, COLUMNS = 32, 8  # pictures of the dataset, and in a row
CHOSEN = "train.dataset"  # the picker of the Train page
BROUGHT = "pictures.brought"  # the dataset that the picker is to choose


def ready(name: str) -> bool:
    """Whether a dataset is decoded; else show how far that is, and do it in the background."""
    if datasets.is_ready(name):
        background.forget(_job_name(name))
        return True
    job = background.find(_job_name(name)) or decode(name)
    if job.busy:
        progress = partial(_progress, job, as_drawn(CHOSEN))
        polled("pictures.polling", progress, every=0.4, busy=True)
    elif job.state == "cancelled":
        st.info(f"The pictures of {plain(name)} are not decoded yet.", icon=":material/info:")
        st.button(
            "Decode them",
            icon=":material/play_arrow:",
            key="pictures.again",
            on_click=_decode,
            args=(name,),
        )
    elif job.state == "failed":
        st.error(plain(job.error), icon=":material/error:")
        st.button(
            "Try again",
            icon=":material/refresh:",
            key="pictures.again",
            on_click=_decode,
            args=(name,),
        )
    return job.state == "done"  # decoded, though there was no room to keep them


def _job_name(name: str) -> str:
    return f"decode {name}"


def decode(name: str) -> Job:
    """The job that decodes a dataset, started again unless it is under way."""

    def work(job: Job) -> None:
        def tell(done: int, total: int) -> None:
            job.report(done / max(total, 1), f"Decoding {done:,} of {total:,} pictures …")

        try:
            datasets.prepare(name, tell, lambda: not job.wanted())
        except OSError as error:
            raise ValueError(str(error)) from error

    return background.restart(_job_name(name), work, PLACES)


def _decode(name: str) -> None:
    decode(name)


def _progress(job: Job, put_back: Callable[[], None]) -> bool:
    """How far a decoding is, and a way to end it; returns whether it goes on."""
    put_back()
    busy = job.busy
    text = "Waiting for other pictures to be decoded …" if job.state == "waiting" else job.text
    st.progress(job.share, text or "Reading …")
    st.button("Cancel", icon=":material/close:", key="pictures.cancel", on_click=job.cancel)
    return busy


def choose_brought() -> None:
    """Choose what was just brought; before the picker is drawn.

    Not in the callback: it may have been called for a fragment that asks by itself, and the page
    that runs next still takes the browser's choice of before.
    """
    name = st.session_state.pop(BROUGHT, None)
    if name is not None:
        st.session_state[CHOSEN] = name


def own_pictures() -> None:
    """The folded controls: a zip or a folder becomes a dataset, and the datasets made so."""
    with st.expander("Pictures of your own", icon=":material/photo_library:"):
        st.caption(
            "A zip or a folder of images of any size and format, with or without one folder per "
            "class. `train` and `test` folders at the top are kept as the split. Without them, one "
            "image in six is for testing. Each image is cropped to its middle square and resized."
        )
        with st.container(horizontal=True, gap="medium"):
            size = st.segmented_control(
                "Side in pixels",
                SIZES,
                default=DEFAULT_SIZE,
                required=True,
                key="pictures.size",
                help="Images become squares of this side. 28 is the size of MNIST's digits. 64 "
                "takes four times as long as 32.",
            )
            colour = st.segmented_control(
                "Colour",
                COLOURS,
                default=COLOURS[0],
                required=True,
                key="pictures.colour",
                help="Colour gives three channels, grey one.",
            )
        _bring(int(size or DEFAULT_SIZE), str(colour or COLOURS[0]))
        outcome = st.session_state.get(OUTCOME)
        if outcome:
            good, text = outcome
            (st.success if good else st.error)(
                plain(text), icon=":material/check:" if good else ":material/error:"
            )
        _undo_line()
        for entry in registry.entries().values():
            _row(entry)


def strip(data: datasets.Dataset) -> None:
    """The first training pictures, as the models will see them."""
    shown = data.train_x[:SHOWN].numpy()
    kinds = "colour" if data.shape[0] == 3 else "grey"
    images.picture(images.grid_image(shown, COLUMNS), width=COLUMNS * 72)
    st.caption(
        f"{plain(data.title)}: {data.shape[1]}×{data.shape[2]}, {kinds}; {_classes(data.classes)}."
    )


def _classes(classes: tuple[str, ...]) -> str:
    if len(classes) == 1:
        return "no classes"
    named = plain(", ".join(classes[:12])) + (" …" if len(classes) > 12 else "")
    return f"{len(classes)} classes: {named}"


def may_name_folders() -> bool:
    """Whether this user may name a folder of the server: ``GENLIB_FOLDERS`` on or off says so.

    Without it, only whoever sits at the machine itself. A proxy on the same machine looks like
    that, so behind one it should be off.
    """
    said = os.environ.get("GENLIB_FOLDERS", "").strip().lower()
    return said == "on" if said in ("on", "off") else st.context.ip_address is None


def _bring(size: int, colour: str) -> None:
    key = f"pictures.file.{st.session_state.setdefault(COUNT, 0)}"
    left, right = st.columns(2)
    left.file_uploader(
        "Zip of pictures",
        type="zip",
        key=key,
        max_upload_size=registry.MAX_UPLOAD // 1_000_000,
        help="It is checked before it is stored, and nothing in it is unpacked to disk.",
        on_change=_take,
        args=(key, size, colour),
    )
    if not may_name_folders():
        right.caption("Folders of the server can only be named on the server itself.")
        return
    with right.form("pictures.path.form", border=False):
        st.text_input(
            "Folder or zip on the machine that runs genlib",
            key="pictures.path",
            placeholder="/home/me/pictures",
            help="The pictures stay where they are.",
        )
        st.form_submit_button(
            "Add", icon=":material/add:", on_click=_name_path, args=(size, colour)
        )


@rights.needed
def _take(key: str, size: int, colour: str) -> None:
    file = guard.uploaded(key)
    if file is None:
        return
    st.session_state[COUNT] += 1
    try:
        _chosen(registry.keep_zip(file.getvalue(), file.name, size, colour))
    except (FolderError, LimitError) as error:
        st.session_state[OUTCOME] = (False, str(error))
    except OSError as error:
        text = f"{file.name} couldn't be stored: {error.strerror}. Free some space and try again."
        st.session_state[OUTCOME] = (False, text)
    guard.forget_upload(key)


@rights.needed
def _name_path(size: int, colour: str) -> None:
    if not may_name_folders():
        return  # the form is not shown either
    text = str(st.session_state.get("pictures.path", "")).strip()
    if not text:
        st.session_state[OUTCOME] = (False, "Enter a folder or a zip first.")
        return
    try:
        _chosen(registry.register(Path(text), size, colour))
    except FolderError as error:
        st.session_state[OUTCOME] = (False, str(error))
    except (OSError, ValueError, RuntimeError):  # unreadable, a null character, an unknown ~user
        st.session_state[OUTCOME] = (False, f"{text} can't be read.")


def _chosen(entry: Entry) -> None:
    st.session_state[BROUGHT] = entry.name
    st.session_state[OUTCOME] = (
        True,
        f"{entry.title} is the dataset {entry.name}, selected above.",
    )


def _row(entry: Entry) -> None:
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{plain(entry.title)}**", width="content")
        gone = "" if entry.path.exists() else " · its images are gone"
        about = f"{entry.name} · {entry.size}×{entry.size}, {entry.colour}{gone}"
        st.caption(plain(about), width="stretch")
        st.button(
            "Remove",
            icon=":material/delete:",
            key=f"pictures.remove.{entry.name}",
            help="Removes it from this list. The images stay. Can be undone.",
            on_click=_remove,
            args=(entry,),
        )


@rights.needed
def _remove(entry: Entry) -> None:
    try:
        registry.remove(entry.name)
        st.session_state[REMOVED] = entry
        st.session_state.pop(OUTCOME, None)
    except OSError:  # another session was faster
        st.session_state[OUTCOME] = (False, f"{entry.title} is no longer there.")


def _undo_line() -> None:
    removed = st.session_state.get(REMOVED)
    if removed is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f":material/delete: {plain(removed.title)} was removed.", width="content")
        st.button("Undo", icon=":material/undo:", key="pictures.undo", on_click=_undo)


@rights.needed
def _undo() -> None:
    removed = st.session_state.pop(REMOVED, None)
    if removed is None:  # the second click of a double click
        return
    try:
        registry.restore(removed.name)
    except OSError:
        st.session_state[OUTCOME] = (False, f"{removed.title} couldn't be restored.")
