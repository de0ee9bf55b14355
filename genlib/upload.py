"""Checkpoints that people bring are checked before anything is kept of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from genlib.checkpoint import CheckpointError, Info, load, peek
from genlib.datasets import load as load_data
from genlib.models import Model

MAX_UPLOAD = 64_000_000  # bytes


def check_upload(data: bytes, filename: str) -> Info:
    """Check an uploaded file before anything is kept; return what it describes.

    Raises CheckpointError with one sentence for a wrong, truncated, foreign, oversized or hostile
    file. The returned ``path`` is only the file's name: the caller decides where to store it.
    """
    name = Path(filename).name
    if not name.endswith(".safetensors"):
        raise CheckpointError(f"{name} is not a .safetensors file; only those can be loaded.")
    if len(data) > MAX_UPLOAD:
        raise CheckpointError(
            f"{name} has {len(data) / 1e6:.0f} MB; at most {MAX_UPLOAD / 1e6:.0f} MB are allowed."
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        info = peek(path)
        model = load(info)
        if any(not t.isfinite().all() for t in model.state_dict().values()):
            raise CheckpointError(f"{name} holds weights that are not finite numbers.")
        _check_data(info, model)
    return Info(**{**vars(info), "path": Path(name)})


def _check_data(info: Info, model: Model) -> None:
    """Raise CheckpointError unless a dataset here has images and classes as the model needs."""
    try:
        data = load_data(info.dataset)
    except ValueError:
        data = load_data("mnist")  # of another machine: digits may do
    if model.config.shape != data.shape:
        shape = "×".join(map(str, model.config.shape))
        raise CheckpointError(
            f"{info.path.name} works on {shape} images; no dataset here has such."
        )
    try:
        data.only(str(info.train.get("classes", "")))
    except ValueError as error:
        raise CheckpointError(
            f"{info.path.name} names classes that are not there: {error}."
        ) from None
