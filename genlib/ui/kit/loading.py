"""Models and data for the pages, loaded once and shared by all sessions.

Cached models are shared: no page may train them, leave hooks or gradients on them, or edit them.
What is cached of a checkpoint is cached with ``hash_funcs=BY_FILE``, so that a file that changes is
read again.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.caching.hashing import HashFuncsDict
from streamlit.runtime.scriptrunner import get_script_run_ctx

from genlib import background
from genlib.environment import runs_dir, shipped_dir
from genlib.environment import uploads_dir as _uploads_dir
from genlib.store.checkpoint import CheckpointError, Info, listing
from genlib.ui.kit.plain import plain

if TYPE_CHECKING:
    import torch

    from genlib.data.datasets import Dataset
    from genlib.models import Model


# "best (your run vae-3)", see ``public_name``.
PUBLIC = re.compile(r"(?P<name>.+?) \((?P<origin>your run|upload)(?: (?P<unique>[^)]+))?\)")

# How Streamlit's caches tell checkpoints apart, given as an Info or a Path.
BY_FILE: HashFuncsDict = {
    Info: lambda info: info.stamp,
    type(Path()): lambda path: (str(path), path.stat().st_mtime_ns),
}


def _has_page(record: logging.LogRecord) -> bool:
    return record.threadName != background.JOB_THREAD


# Cached loaders look for a page to show a spinner on and warn without one; jobs have none.
logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").addFilter(_has_page)


def checkpoints(*capabilities: str) -> list[Info]:
    """Shipped checkpoints, then uploads and runs, that can do all that is asked.

    No two have the same name: links and widgets know models by it. See ``public_name``.
    """
    folders = [shipped_dir(), _uploads_dir()]
    runs = [path.parent for path in sorted(runs_dir().glob("*/model.safetensors"))]
    stamps = tuple((str(f), f.stat().st_mtime_ns) for f in [*folders, *runs] if f.is_dir())
    wanted = set(capabilities)
    return [info for info in _listing(stamps) if wanted <= _capabilities(info)]


@st.cache_data(max_entries=8, show_spinner=False)
def _listing(stamps: tuple[tuple[str, int], ...]) -> list[Info]:
    # A folder's modification time changes with every file that is put there, renamed or deleted.
    found: dict[str, Info] = {}
    for folder, _ in stamps:
        for info in listing(Path(folder)):
            found.setdefault(str(info.path), info)
    return [replace(info, name=public_name(info)) for info in found.values()]


def origin(info: Info) -> str:
    """Where a checkpoint comes from: "shipped", "upload" or "your run"."""
    if info.path.parent == shipped_dir():
        return "shipped"
    return "upload" if info.path.parent == _uploads_dir() else "your run"


def public_name(info: Info) -> str:
    """The name in pickers and links, for an ``info`` as read from its file.

    A shipped model keeps its bare name: "vae-2". Others say what they are: "vae-2 (your run)",
    "vae-2 (upload)", and where they were renamed, also which: "best (your run vae-3)". Run
    directories and files are unique, so these names are too, and none depends on what else there
    is: deleting one model never renames another.
    """
    of = origin(info)
    unique = _unique(info)
    if info.name == unique:
        return info.name if of == "shipped" else f"{info.name} ({of})"
    return f"{info.name} ({of} {unique})"


def _unique(info: Info) -> str:
    """What tells a checkpoint from all others of its origin, and stays when it is renamed."""
    return info.path.parent.name if origin(info) == "your run" else info.path.stem


def current_name(name: str) -> str:
    """The public name of today for one of before a renaming; any other text as it is.

    A link that was made before, or clicked before the page had drawn the new name, still opens it.
    """
    old = PUBLIC.fullmatch(name)
    known = checkpoints() if old else []
    if old is None or any(info.name == name for info in known):
        return name
    wanted = (old["origin"], old["unique"] or old["name"])
    return next((info.name for info in known if (origin(info), _unique(info)) == wanted), name)


def _capabilities(info: Info) -> frozenset[str]:
    from genlib.models import FAMILIES

    return info.capabilities if info.family in FAMILIES else frozenset()


def takes(info: Info, shape: tuple[int, ...]) -> bool:
    """Whether a model works on images of this (C, H, W)."""
    size = int(str(info.config.get("image_size", 28)))
    return shape == (int(str(info.config.get("channels", 1))), size, size)


def exists(info: Info) -> bool:
    """Whether the checkpoint's file is still there."""
    return info.path.is_file()


def go_on_without(info: Info) -> None:
    """In a fragment that was given this checkpoint: run the whole page, which chooses another one,
    where its file was deleted elsewhere."""
    if not exists(info):
        st.rerun()


def model(source: Info | Path) -> Model:
    """The model of a checkpoint on this machine's device: evaluation mode, frozen, shared.

    Raises CheckpointError for a file that cannot be used.
    """
    path = source.path if isinstance(source, Info) else source
    if not path.is_file():
        raise CheckpointError(f"No checkpoint was found at {path}.")
    return _model(path)


# One digit asks 19 models, one after the other, for each picture.
@st.cache_resource(max_entries=20, show_spinner="Loading the model …", hash_funcs=BY_FILE)
def _model(path: Path) -> Model:
    from genlib.devices import device
    from genlib.store.checkpoint import load

    return load(path, str(device()))


def cpu(tensor: torch.Tensor) -> NDArray[np.float32]:
    """A tensor on any device as a float32 numpy array."""
    return tensor.detach().float().cpu().numpy()


@st.cache_resource(max_entries=6, show_spinner="Reading the dataset …")
def _dataset(name: str, stamp: str, classes: str) -> Dataset:
    from genlib.data import datasets

    return datasets.load(name, classes)


def dataset(name: str = "mnist", classes: str = "") -> Dataset:
    """A dataset by name, or some classes of it ("1,5,6"), shared by all sessions.

    Show its ``note`` where it is not empty. One's own pictures are read again when some were added,
    removed or renamed, see ``quick_stamp_of``.

    Raises ValueError with one sentence where it is not here.
    """
    from genlib.data import datasets
    from genlib.data.pictures.source import quick_stamp_of

    if name in datasets.DATASETS:
        return _dataset(name, str(datasets.find_mnist()), classes)
    entry = datasets.entry_of(name)
    return _dataset(name, f"{entry} {quick_stamp_of(entry.path)}", classes)


def pictures_of(info: Info) -> Dataset:
    """The dataset that suits a checkpoint: what it was trained on, in the classes it knows.

    Where that is not here, MNIST serves models of such images; for others the page says what is
    missing and ends, and a background job gets a ValueError that says it.
    """
    return _pictures(info, str(info.train.get("classes", "")))


def all_pictures_of(info: Info) -> Dataset:
    """The same with all classes, also those that the model was not trained on."""
    return _pictures(info, "")


def _pictures(info: Info, classes: str) -> Dataset:
    try:
        return dataset(info.dataset, classes)
    except ValueError as error:
        shape = dataset("mnist").shape
        if shape[:2] == (info.config.get("channels"), info.config.get("image_size")):
            return dataset("mnist", classes)
        missing = f"{info.name} needs the pictures it was trained on: {error}."
        if get_script_run_ctx(suppress_warning=True) is None:  # a job: no page to say it and end
            raise ValueError(missing) from error
        st.info(plain(missing), icon=":material/info:")
        st.stop()


def class_names(info: Info) -> tuple[str, ...]:
    """Names of a classifier's classes; no picture is needed for those of CIFAR-10."""
    from genlib.data import datasets

    wanted = int(str(info.config.get("n_classes", 10)))
    names: tuple[str, ...] = ()
    if info.dataset in datasets.CIFAR:
        names = datasets.CIFAR_CLASSES
    elif info.dataset in datasets.available():
        names = dataset(info.dataset).classes
    return names if len(names) == wanted else tuple(map(str, range(wanted)))


@st.cache_resource(max_entries=12, show_spinner="Encoding the test images …", hash_funcs=BY_FILE)
def test_latents(info: Info, n: int = 10_000) -> NDArray[np.float32]:
    """Codes (mu, or z of a plain autoencoder) of the first n test images: (n, latent_dim).

    The array is everyone's, kept once (500 latents make 20 MB): never write to it.
    """
    import torch

    from genlib.data.datasets import to_float
    from genlib.models.capabilities import Encodes

    coder = model(info)
    if not isinstance(coder, Encodes):
        raise TypeError(f"{info.name} does not encode")
    images = pictures_of(info).test_x[:n]
    device = coder.device
    with torch.no_grad():
        parts = [cpu(coder.embed(to_float(part).to(device))) for part in images.split(1000)]
    return np.concatenate(parts)
