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

THREAD = "genlib-gallery"
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Card:
    """One page of the app: its file, its icon and what one sees there.

    A card is an entry in CARDS and a function in thumbnails.DRAWINGS.
    """

    page: str
    title: str
    icon: str
    text: str


CARDS = (
    Card(
        "latents/latent_space.py",
        "Latent space",
        "tune",
        "A handful of numbers makes a digit. Drag each of them and watch it change.",
    ),
    Card(
        "latents/latent_map.py",
        "Latent map",
        "scatter_plot",
        "Thousands of digits as points. Nobody told the model the classes; look for them.",
    ),
    Card(
        "energy/merged_digits.py",
        "Merged digits",
        "join_inner",
        "Blend two digits. A good model finds the blend strange, and says so in its energy.",
    ),
    Card(
        "energy/denoise.py",
        "Denoise",
        "auto_fix_high",
        "Drop half of the pixels and have them guessed back.",
    ),
    Card(
        "latents/reconstructions.py",
        "Reconstructions",
        "compare",
        "Input, output and what got lost; the kernels that did it.",
    ),
    Card(
        "classifiers/class_images.py",
        "Class images",
        "landscape",
        "Climb a classifier's score until noise becomes its idea of an 8.",
    ),
    Card(
        "classifiers/deep_dream.py",
        "DeepDream",
        "nights_stay",
        "Let a network see more of what it sees already, until a flower is made of its strokes.",
    ),
    Card(
        "adversarial/gan.py",
        "GAN",
        "swords",
        "A forger and a judge. Walk through z, or train them one step at a time.",
    ),
    Card(
        "boltzmann/rbm.py",
        "RBM and DBN",
        "hub",
        "Hide half a digit and let the chain finish it, or start from noise.",
    ),
    Card(
        "autoregressive/pixelcnn.py",
        "PixelCNN",
        "grid_on",
        "Watch a digit appear pixel by pixel, and see which of them was a surprise.",
    ),
    Card(
        "side_by_side/one_digit.py",
        "One digit, every model",
        "view_module",
        "Give one digit to every model at once. Which of them notice that you turned it?",
    ),
    Card(
        "side_by_side/pca.py",
        "PCA and mixtures",
        "scatter_plot",
        "The oldest generative models: eigen-digits, and Gaussians that share the work.",
    ),
    Card(
        "side_by_side/likelihood.py",
        "Likelihood bench",
        "leaderboard",
        "Exact, estimated or bounded: every model's likelihood on one axis.",
    ),
    Card(
        "side_by_side/map_of_models.py",
        "Map of models",
        "account_tree",
        "Who can say what about p(x), and since when. Click a model to open it.",
    ),
    Card(
        "train/train.py",
        "Train",
        "model_training",
        "Four digits through a model untrained, after an epoch, and trained. Train your own.",
    ),
    Card(
        "train/runs.py",
        "Runs",
        "stacked_line_chart",
        "Compare the loss curves of several trainings, and sweep a setting.",
    ),
)


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
        for page, drawing in thumbnails.DRAWINGS.items():
            if background.ending.is_set():
                return
            try:
                found.pictures[page] = images.data_url(drawing(shelf))
            except LookupError as reason:
                found.missing[page] = str(reason)
            except Exception:  # one picture less must not cost the others
                LOG.exception("no picture for %s", page)
                found.missing[page] = "The picture could not be drawn; the log says why."
    finally:
        found.done.set()
