"""Upload a checkpoint: check it, store it, list and delete uploads."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from genlib.environment import LimitError
from genlib.evaluate.upload import MAX_UPLOAD, check_upload
from genlib.runs import uploads
from genlib.store.checkpoint import CheckpointError, Info
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
    kept = uploads.kept()
    st.subheader("Uploaded checkpoints", anchor=False)
    if not kept:
        st.caption("None yet. Download one from a finished run, or from another genlib.")
    for info in kept:
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
    file = st.session_state.get(key)
    if file is None:
        return
    try:
        data = file.getvalue()
        info = uploads.keep(data, check_upload(data, file.name))
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
        st.session_state[DELETED] = uploads.delete(path)
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
        uploads.undo_delete(deleted)
    except (ValueError, OSError) as error:
        st.session_state[OUTCOME] = (False, str(error))
