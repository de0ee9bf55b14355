"""What the environment forces of what is otherwise measured, or chosen by the machine.

    GENLIB_PRECISION  auto, float32, bfloat16         ascents, and the default of trainings
    GENLIB_THREADS    0 (measured) to 64              default of trainings
    GENLIB_LAYOUT     auto, channels_last, contiguous memory order of images in convolutions
    GENLIB_DECODER    auto, browser, server           who decodes while a latent is dragged

Unset and empty mean auto. torch isn't imported here: settings read this before anything computes.
"""

from __future__ import annotations

import os

CHOICES: dict[str, tuple[str, ...]] = {
    "GENLIB_PRECISION": ("auto", "float32", "bfloat16"),
    "GENLIB_LAYOUT": ("auto", "channels_last", "contiguous"),
    "GENLIB_DECODER": ("auto", "browser", "server"),
}
MAX_THREADS = 64


def precision() -> str:
    """``GENLIB_PRECISION``: auto, float32 or bfloat16. Raises ValueError for anything else."""
    return _choice("GENLIB_PRECISION")


def threads() -> int:
    """``GENLIB_THREADS``, 0 where they are to be measured. Raises ValueError for a bad number."""
    text = os.environ.get("GENLIB_THREADS", "").strip().lower()
    if text in ("", "auto"):
        return 0
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= MAX_THREADS):
        raise ValueError(
            f"GENLIB_THREADS must be a whole number from 0 (measured) to {MAX_THREADS}, "
            f"got {text[:40]!r}"
        )
    return int(text)


def channels_last(device: str) -> bool:
    """Whether convolutions on a kind of device ("cpu", "cuda", "mps") get channels-last images."""
    wish = _choice("GENLIB_LAYOUT")
    return device == "cpu" if wish == "auto" else wish == "channels_last"


def decoder() -> str:
    """``GENLIB_DECODER``: auto (by the decoder's size), browser or server."""
    return _choice("GENLIB_DECODER")


def check() -> None:
    """Raise ValueError naming the first variable with a value that isn't allowed."""
    threads()
    for name in CHOICES:
        _choice(name)


def _choice(name: str) -> str:
    value = os.environ.get(name, "").strip().lower() or "auto"
    if value not in CHOICES[name]:
        allowed = ", ".join(CHOICES[name])
        raise ValueError(f"{name} must be one of {allowed}, got {value[:40]!r}")
    return value
