"""Upload a checkpoint: check it, store it, list and delete uploads."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from genlib import environment
from genlib.environment import LimitError, uploads_dir
from genlib.evaluate.upload import MAX_UPLOAD, check_upload
from genlib.files import move, write_bytes
from genlib.runs import queue
from genlib.store.checkpoint import CheckpointError, Info, listing, peek
from genlib.ui.kit import guard, loading, rights
from genlib.ui.kit.plain import plain

COUNT = "upload.count"  # a new uploader after each file, so that no file is taken twice
OUTCOME = "upload.outcome"
DELETED = "upload.deleted"


def panel() -> None:
    """The uploader, what became of the last file, and the uploads so far."""
    if rights.may_change():
        _bring()
    else:
        rights.note()
    there = kept()
    st.subheader("Uploaded checkpoints", anchor=False)
    if not there:
        st.caption("None yet. Download one from a finished run, or from another genlib.")
    for info in there:
        _row(info)


def _bring() -> None:
    count = st.session_state.setdefault(COUNT, 0)
    key = f"upload.file.{count}"
    st.file_uploader(
        "Checkpoint (.safetensors from genlib)",
        key=key,
        max_upload_size=MAX_UPLOAD // 1_000_000,
        help="The file is checked before it is stored. Nothing in it is executed.",
        on_change=_take,
        args=(key,),
    )
    outcome = st.session_state.get(OUTCOME)
    if outcome:
        good, text = outcome
        (st.success if good else st.error)(
            plain(text), icon=":material/check:" if good else ":material/error:"
        )
    _undo_line()


@rights.needed
def _take(key: str) -> None:
    file = guard.uploaded(key)
    if file is None:
        return
    try:
        data = file.getvalue()
        info = keep(data, check_upload(data, file.name))
    except (CheckpointError, LimitError) as error:
        st.session_state[OUTCOME] = (False, str(error))
    except OSError as error:
        text = f"{file.name} couldn't be stored: {error.strerror}. Free some space and try again."
        st.session_state[OUTCOME] = (False, text)
    else:
        names = {one.path: one.name for one in loading.checkpoints()}
        name = names.get(info.path, info.name)
        st.session_state[OUTCOME] = (True, f"{name} is ready on the other pages.")
    guard.forget_upload(key)
    st.session_state[COUNT] += 1


def keep(data: bytes, info: Info) -> Info:
    """Keep an uploaded file; a name that is taken, in the trash as well, gets a number.

    info: what ``check_upload`` found the file to be. Raises LimitError for a full
    disk; then nothing has changed.
    """
    environment.check_disk(queue.folder(), len(data))
    folder = uploads_dir()
    folder.mkdir(parents=True, exist_ok=True)
    # "model" is how every run calls its newest checkpoint: then the name inside tells more.
    stem = info.path.stem
    stem = info.name if stem == "model" else stem
    stem = re.sub(r"[^\w.+-]+", "_", stem).strip("._")[:60]
    stem = stem.encode()[:160].decode(errors="ignore")  # file systems count bytes: at most 255
    stem = "upload" if stem in ("", "model") else stem
    path, number = folder / f"{stem}.safetensors", 2
    while path.exists() or (queue.folder() / queue.TRASH / path.name).exists():
        path, number = folder / f"{stem}-{number}.safetensors", number + 1
    write_bytes(path, data)
    return peek(path)


def kept() -> list[Info]:
    """The uploaded checkpoints, by name."""
    return listing(uploads_dir())


def _row(info: Info) -> None:
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{plain(info.name)}**", width="content")
        about = f"{info.family.replace('_', ' ')} on {info.dataset}, epoch {info.epoch}, "
        about += f"{info.parameters:,} parameters · {info.path.name}"
        st.caption(plain(about), width="stretch")
        if not rights.may_change():
            return
        st.button(
            "Delete",
            icon=":material/delete:",
            key=f"upload.delete.{info.path.name}",
            help="Can be undone.",
            on_click=_delete,
            args=(info.path,),
        )


@rights.needed
def _delete(path: Path) -> None:
    try:
        st.session_state[DELETED] = queue.to_trash(path)
    except OSError:  # another session was faster
        st.session_state[OUTCOME] = (False, f"{path.name} was deleted already.")
    else:
        st.session_state.pop(OUTCOME, None)


def _undo_line() -> None:
    deleted = st.session_state.get(DELETED)
    if deleted is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f":material/delete: {plain(deleted.name)} was deleted.", width="content")
        st.button("Undo", icon=":material/undo:", key="upload.undo", on_click=_undo)


@rights.needed
def _undo() -> None:
    deleted = st.session_state.pop(DELETED, None)
    if deleted is None:  # the second click of a double click
        return
    try:
        bring_back(deleted)
    except (ValueError, OSError) as error:
        st.session_state[OUTCOME] = (False, str(error))


def bring_back(trashed: Path) -> None:
    """Restore a deleted upload; raises ValueError when the trash no longer has it."""
    if not trashed.is_file():
        raise ValueError(f"{trashed.name} is no longer in the trash, so it cannot be brought back.")
    move(trashed, uploads_dir() / trashed.name)
