"""Text that people brought (names, titles, messages that quote them), shown letter by letter.

Streamlit reads nearly every text as Markdown: labels, captions, help, messages. A run called
``![a](http://…)`` would make each visitor's browser load from that address. So whatever a person
or a file supplied goes through ``plain`` on its way into Markdown, through ``html.escape`` into
HTML, and through ``in_chart`` into a Plotly figure. Options of select boxes, table cells and text
inputs are plain by themselves.
"""

from __future__ import annotations

import html
import re
from typing import Protocol

from genlib.data.pictures.registry import PREFIX

# Invisible and without width: it parts what Streamlit looks for in text that is already parsed,
# where no backslash helps (addresses, icons, emoji, arrows).
JOINER = "\u2060"

_MARKS = re.compile(r"([\\`*_\[\]<>$~#|!&])")
_PARTED = re.compile(r"(?<=:)(?=\S)|(?<=[wW])(?=[wW]{2}\.)|(?<=@)(?=\S)|(?<=[-<>=~])(?=[-<>=~])")
_LIST = re.compile(r"^([-+=]|\d+(?=[.)]))")


def plain(text: str) -> str:
    """Text as Markdown that shows it letter by letter, on one line: no links, images, formulas."""
    text = _PARTED.sub(JOINER, " ".join(text.split()))
    return _LIST.sub(_unlisted, _MARKS.sub(r"\\\1", text))


def _unlisted(found: re.Match[str]) -> str:
    """The beginning of a text that would make it a list: "- a", "1. a"."""
    mark = found.group()
    return f"{mark}{JOINER}" if mark.isdigit() else f"\\{mark}"


def in_chart(text: str) -> str:
    """Text for a title, a label or a legend of a Plotly figure, which reads some HTML."""
    return html.escape(text, quote=False)


class HasNote(Protocol):
    """A dataset, or what is shown of one."""

    @property
    def name(self) -> str:
        """``folder:…`` where people brought the pictures."""

    @property
    def note(self) -> str:
        """What a page must say of it; empty otherwise."""


def note_of(data: HasNote) -> str:
    """A dataset's note as Markdown: those of people's pictures name their files."""
    return plain(data.note) if data.name.startswith(PREFIX) else data.note
