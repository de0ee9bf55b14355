"""Text from strangers: what may be kept of it, and how much of it an error message repeats."""

from __future__ import annotations

import re
import reprlib

MAX_TEXT = 200  # characters of one text in a checkpoint
SHOWN = 80  # characters of a stranger's value in a message

# Control characters, breaks of lines, half of a character (a lone surrogate), and the marks that
# turn the direction of the text around them.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_short = reprlib.Repr()
_short.maxstring = _short.maxother = SHOWN
_short.maxlong = 40


def is_fit(text: str) -> bool:
    """Say whether a text can be kept and displayed: at most MAX_TEXT characters on one line."""
    return len(text) <= MAX_TEXT and not _UNFIT.search(text)


def fit(text: str, most: int = MAX_TEXT) -> str:
    """The text on one line, without characters that can't be displayed: at most ``most`` long."""
    return " ".join(_UNFIT.sub(" ", text[: 4 * most]).split())[:most].rstrip()


def shown(value: object) -> str:
    """``repr(value)`` for an error message: at most SHOWN characters, whatever the value is."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a number of {value.bit_length():,} bits"  # Python won't print the largest ones
    text = _short.repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def file_name(name: str, fallback: str) -> str:
    """The last part of the file name that a browser sent, cut to what any disk takes.

    The middle goes, so that beginning and suffix stay.
    """
    last = fit(name.replace("\\", "/").rpartition("/")[2], 2000)
    last = last if len(last) <= 60 else f"{last[:40]}…{last[-19:]}"
    return fallback if last in ("", ".", "..") else last
