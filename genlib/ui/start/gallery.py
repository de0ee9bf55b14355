"""Home's gallery: what each page shows, and its picture once a background thread has drawn it.

Nothing here imports torch before the first page is painted.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

import streamlit as st

from genlib import background
from genlib.environment import shipped_dir
from genlib.store.checkpoint import Info, listing
from genlib.ui.kit import server
from genlib.ui.menu import PAGES

THREAD = "genlib-gallery"
LOG = logging.getLogger(__name__)


# The pages with a card, in the order in which Home shows and draws them.
CARDS = tuple(sorted((page for page in PAGES if page.idea), key=lambda page: page.place))


@dataclass
class Gallery:
    """The pictures drawn so far, as data: addresses by page file."""

    pictures: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # page file -> why it has no picture
    done: threading.Event = field(default_factory=threading.Event)


def shipped() -> list[Info]:
    """The shipped checkpoints, from their headers alone: a few milliseconds, without torch."""
    return listing(shipped_dir())


def gallery(infos: list[Info]) -> Gallery:
    """The gallery of these checkpoints; the first call starts drawing it in the background."""
    return _gallery(tuple((str(info.path), info.mtime_ns) for info in infos), infos)


@st.cache_resource(max_entries=2, show_spinner=False)
def _gallery(stamps: tuple[tuple[str, int], ...], _infos: list[Info]) -> Gallery:
    found = Gallery()
    if not stamps:
        found.done.set()
        return found
    background.start(lambda: draw(found, _infos), THREAD, polite=False)
    return found


def draw(found: Gallery, infos: list[Info]) -> None:
    """Draw every card's picture into `found`, one after the other."""
    if not server.wait_until_warm():
        return
    from genlib.ui.kit import images
    from genlib.ui.start import thumbnails

    # Spinners of the cached loaders look for a page to spin on; this thread has none, on purpose.
    name = "streamlit.runtime.scriptrunner_utils.script_run_context"
    logging.getLogger(name).addFilter(lambda record: record.threadName != THREAD)
    try:
        shelf = thumbnails.Shelf(infos)
        for card in (card for card in CARDS if card.drawing):
            if background.ending.is_set():
                return
            drawing = thumbnails.DRAWINGS[card.drawing]
            try:
                found.pictures[card.file] = images.data_url(drawing(shelf))
            except LookupError as reason:
                found.missing[card.file] = str(reason)
            except Exception:  # one picture less must not cost the others
                LOG.exception("no picture for %s", card.file)
                found.missing[card.file] = "The picture could not be drawn; the log says why."
    finally:
        found.done.set()
