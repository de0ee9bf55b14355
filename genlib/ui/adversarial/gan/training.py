"""The GAN page's views of a training: losses with the samples of every epoch; classes covered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from genlib.explore.coverage import Coverage
from genlib.plots.adversarial import coverage_figure, history_figure
from genlib.store.checkpoint import Info
from genlib.ui.adversarial.gan import data
from genlib.ui.adversarial.gan.panels import KEY, new_z, seed
from genlib.ui.kit import images, loading
from genlib.ui.kit.pickers import download
from genlib.ui.kit.plain import in_chart, plain

LOSSES = {"train/loss": "D's loss", "train/g_loss": "G's loss"}
SAID = {"train/d_x": "D(x)", "train/d_gz": "D(G(z))", "train/d_accuracy": "D's accuracy"}
SHOWN = 49
PLOT = 215  # pixels of each of two plots next to the samples
NO_WEIGHTS = "Only images were saved for this epoch, no weights, so no new samples can be drawn."


def training(info: Info, controls: DeltaGenerator) -> None:
    """Losses over epochs, and the same z drawn at the epoch of the slider."""
    frames = epochs(info)
    previews = any(_is_preview(path) for path in frames.values())
    kept = "weights or images" if previews else "the weights"
    epoch = pick_epoch(f"{KEY}.epoch", list(frames), kept)
    with controls:
        new_z(NO_WEIGHTS if _is_preview(frames[epoch]) else "")
        download(
            "Kept epochs (GIF)",
            lambda: _film(info),
            f"{info.name}-epochs.gif",
            "The same z at every epoch of which the weights were kept, one after the other, "
            "endlessly.",
            key=f"{KEY}.gif",
        )
    left, right = st.columns([4, 5])
    with left:
        shown, note = _grid(frames[epoch])
        grid = images.data_url(images.grid_image(shown, int(len(shown) ** 0.5)))
        st.image(grid, width="stretch", alt=f"Samples after epoch {epoch}")
        st.caption(f"After epoch {epoch}. {note}")
    with right:
        rows = info.history
        if not any("train/g_loss" in row for row in rows):
            st.info("This checkpoint holds no history of its training.", icon=":material/info:")
            return
        figure = history_figure(
            rows, LOSSES, "loss (nats)", at=epoch, level=(2 * np.log(2), "2 ln 2")
        )
        st.plotly_chart(figure.update_layout(height=PLOT), key=f"{KEY}.losses")
        figure = history_figure(
            rows, SAID, "mean over the epoch", at=epoch, level=(0.5, "undecided")
        )
        st.plotly_chart(figure.update_layout(height=PLOT), key=f"{KEY}.said")
        st.caption(
            "D knows nothing at a loss of 2 ln 2 = 1.39 and D(x) = D(G(z)) = 0.5. Neither loss "
            "falls for ever: each is measured against an opponent that learns, so a loss says "
            "little about the images."
        )


def epochs(info: Info) -> dict[int, Path]:
    """Epoch -> where its samples come from: a checkpoint, or a run's preview of that epoch."""
    found = {}
    if info.path.stem == "model":  # of a run, which also left a picture of every epoch
        for file in info.path.with_name("previews").glob("epoch-*.npy"):
            number = file.stem.removeprefix("epoch-")
            if number.isdecimal() and int(number) <= info.epoch:
                found[int(number)] = file
    found.update(info.snapshots)
    return dict(sorted(found.items()))


def pick_epoch(key: str, known: list[int], kept: str = "the weights") -> int:
    """A slider over the epochs of which something was kept; a single one needs none."""
    if len(known) < 2:
        st.caption(f"Only epoch {known[0]} was kept: a run keeps more of them.")
        return known[0]
    chosen = st.select_slider(
        "Epoch",
        known,
        value=known[-1],
        key=key,
        bind="query-params",
        width=420,
        help=f"Epochs of which {kept} were kept; 0 is before the training.",
    )
    return int(chosen)


def _is_preview(path: Path) -> bool:
    return path.suffix == ".npy"


def _grid(path: Path) -> tuple[NDArray[np.uint8], str]:
    if _is_preview(path):
        kept = images.stored(path)
        if kept is None:
            return np.zeros((1, 1, 28, 28), np.uint8), "The images of this epoch can't be read."
        shown = kept[:SHOWN]
        said = "From the run's preview: other z than at epochs with kept weights."
        return shown[: int(len(shown) ** 0.5) ** 2], said
    return data.samples(path, SHOWN, seed()), "The same z at every epoch with kept weights."


def _film(info: Info) -> bytes:
    grids = [
        images.grid_image(data.samples(path, SHOWN, seed()), int(SHOWN**0.5))
        for _, path in info.snapshots
    ]
    return images.to_gif(np.stack(grids), seconds=0.8, scale=2)


def classes(info: Info, controls: DeltaGenerator) -> None:
    """Which classes the samples show, and whether G has collapsed."""
    if len(loading.pictures_of(info).test_x) < 2:
        st.info(
            "The variety of samples is measured against that of test images, and "
            f"{plain(info.name)} has only one.",
            icon=":material/info:",
        )
        return
    judge = data.judge_of(info)
    if judge is None:
        st.info(
            f"No classifier knows the images of {plain(info.name)}. Train one on the Train page.",
            icon=":material/info:",
        )
        return
    with controls:
        new_z()
    found = data.coverage_of(info.path, judge, seed() + 1)
    say_collapse(found, judge)
    left, right = st.columns([3, 1])
    with left:
        labels = loading.pictures_of(info).train_y.numpy()
        real = np.bincount(labels, minlength=len(judge.names)) / len(labels)
        groups = {
            in_chart(info.name): (found.shares.tolist(), found.stderrs.tolist()),
            "training set": (real.tolist(), [0.0] * len(real)),
        }
        st.plotly_chart(
            coverage_figure([in_chart(name) for name in judge.names], groups), key=f"{KEY}.shares"
        )
    with right:
        _numbers(found)
    st.caption(
        f"{found.n:,} samples, judged by the checkpoint “{plain(judge.info.name)}”; bars: ± one "
        "standard error. A classifier must name a class for any image, so samples whose features "
        "resemble those of noise, or of their own pixels shuffled, more than those of real images "
        f"aren't counted: {sum(found.unlike):,} of these."
    )
    _over_epochs(info, judge)


def _numbers(found: Coverage) -> None:
    st.metric(
        "Classes covered",
        f"{len(found.wanted) - len(found.missing)} of {len(found.wanted)}",
        help="A class counts as covered if it gets at least a tenth of its fair share of the "
        "samples, and more than noise gets.",
    )
    st.metric(
        "Effective classes",
        f"{found.effective:.1f}",
        help="exp(entropy of the shares): 10 for ten equal classes, 1 for one.",
    )
    st.metric(
        "Variety",
        f"{found.variety:.0%}",
        help="Mean squared distance of two samples over that of two real images.",
    )


def say_collapse(found: Coverage, judge: data.Judge) -> None:
    """The warning, or that there is nothing to warn of."""
    signs = found.signs(judge.names)
    if signs:
        st.error(f"Collapse: {'; '.join(signs)}.", icon=":material/warning:")
        return
    st.success(
        f"No sign of collapse: all {len(found.wanted)} classes are drawn, and samples differ from "
        f"each other {found.variety:.0%} as much as real images.",
        icon=":material/check_circle:",
    )


def collapse_warning(info: Info, path: Path) -> None:
    """Say whether the samples of one epoch's weights are collapsed, if a classifier can tell."""
    judge = data.judge_of(info)
    if judge is not None:
        say_collapse(data.coverage_of(path, judge, 1), judge)


def _over_epochs(info: Info, judge: data.Judge) -> None:
    """The same numbers for the epochs that were kept."""
    if len(info.snapshots) < 2:
        return
    if st.toggle(
        "Through the training",
        key=f"{KEY}.through",
        bind="query-params",
        help="Count the same for every epoch that was kept; takes a second or two each.",
    ):
        rows = []
        for epoch, path in info.snapshots:
            one = data.coverage_of(path, judge, seed() + 1)
            missing = ", ".join(judge.names[c] for c in one.missing) or "none"
            rows.append(
                {
                    "epoch": epoch,
                    "classes covered": len(one.wanted) - len(one.missing),
                    "hardly drawn": missing,
                    "effective classes": round(one.effective, 2),
                    "variety": f"{one.variety:.0%}",
                }
            )
        st.dataframe(rows, hide_index=True, key=f"{KEY}.through_table", height="content")
