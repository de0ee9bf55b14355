"""Home's gallery: what each page shows, and its picture once a background job has drawn it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from genlib import background
from genlib.background import Job, Places
from genlib.environment import shipped_dir
from genlib.store.checkpoint import Info, listing
from genlib.ui.menu import PAGES

PLACES = Places(1, kept=2, polite=False)  # people wait for these pictures
LOG = logging.getLogger(__name__)


# The pages with a card, in the order in which Home shows and draws them.
CARDS = tuple(sorted((page for page in PAGES if page.idea), key=lambda page: page.place))


@dataclass
class Gallery:
    """The pictures drawn so far, as data: addresses by page file."""

    pictures: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # page file -> why it has no picture


def shipped() -> list[Info]:
    """The shipped checkpoints, from their headers alone: a few milliseconds, without torch."""
    return listing(shipped_dir())


def drawn(infos: list[Info]) -> Job:
    """The job that draws every card from these checkpoints; its result grows: a Gallery."""
    stamp = " ".join(info.stamp for info in infos)
    return background.request(f"gallery {stamp}", lambda job: draw(job, infos), PLACES)


def draw(job: Job, infos: list[Info]) -> Gallery:
    """Draw every card's picture, one after the other; without checkpoints there is none."""
    found = Gallery()
    if not infos:
        return found
    from genlib.ui.kit import images
    from genlib.ui.start import thumbnails

    shelf = thumbnails.Shelf(infos)
    for done, card in enumerate(card for card in CARDS if card.drawing):
        job.report(done / len(CARDS), card.title, found)
        drawing = thumbnails.DRAWINGS[card.drawing]
        try:
            found.pictures[card.file] = images.data_url(drawing(shelf))
        except LookupError as reason:
            found.missing[card.file] = str(reason)
        except Exception:  # one picture less must not cost the others
            LOG.exception("no picture for %s", card.file)
            found.missing[card.file] = "The picture could not be drawn; the log says why."
    return found
