"""The table GAN against VAE: one row a model, one column an epoch, the same z along a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from genlib.data.datasets import to_float
from genlib.explore.coverage import half_tones
from genlib.store.checkpoint import Info
from genlib.ui.adversarial.gan import data
from genlib.ui.kit import images, links, loading
from genlib.ui.kit.columns import side_by_side
from genlib.ui.kit.pickers import download
from genlib.ui.kit.plain import plain

KEY = "versus"
WANTED = (1, 10, 25)  # the lecture's columns
SIDE = 10
MOST = 5  # columns
WIDE, LEAST, GAP = 1120, 262, 16  # pixels: of a row, of a grid, between two of them


def choose_epochs(rows: Sequence[Info]) -> list[int]:
    """The columns: epochs that at least one of the models kept; the lecture's at first."""
    known = sorted({epoch for info in rows for epoch, _ in info.snapshots})
    preset = [epoch for epoch in WANTED if epoch in known] or known[-1:]
    chosen = st.multiselect(
        "Epochs",
        known,
        default=preset,
        max_selections=MOST,
        key=f"{KEY}.epochs",
        bind="query-params",
        help="Epochs of which the weights were kept; 0 is before training.",
    )
    return sorted(chosen) or preset


def grid(info: Info, epoch: int) -> NDArray[np.uint8] | None:
    """100 samples of one model at one epoch, (100, C, H, W); None where it was not kept."""
    path = dict(info.snapshots).get(epoch)
    return None if path is None else data.samples(path, SIDE**2, links.number(f"{KEY}.seed"))


def table(rows: Sequence[Info], epochs: Sequence[int]) -> None:
    """Draw all grids, then under each what can be counted, which takes longer."""
    later: list[tuple[DeltaGenerator, Info, int]] = []
    for info in rows:
        st.subheader(f"{_kind(info)} · {plain(info.name)}", anchor=False)
        cells = side_by_side(*[max(LEAST, WIDE // len(epochs) - GAP)] * len(epochs), gap="small")
        for column, epoch in zip(cells, epochs, strict=True):
            with column:
                if _cell(info, epoch):
                    later.append((st.empty(), info, epoch))
    for place, info, epoch in later:
        place.caption(_counted(info, epoch))


def _kind(info: Info) -> str:
    from genlib.models import FAMILIES

    return FAMILIES[info.family].title


def _cell(info: Info, epoch: int) -> bool:
    """One grid; False, and a sentence, where that epoch was not kept."""
    st.markdown(f"**After epoch {epoch}**")
    shown = grid(info, epoch)
    if shown is None:
        kept = ", ".join(str(e) for e, _ in info.snapshots)
        with st.container(border=True, height=220):
            st.caption(f"{plain(info.name)} kept no weights of epoch {epoch}, only of {kept}.")
        return False
    tiled = images.grid_image(shown, SIDE)
    st.image(images.data_url(tiled), width="stretch", alt=f"{info.name} after epoch {epoch}")
    return True


def _counted(info: Info, epoch: int) -> str:
    shown, judge = grid(info, epoch), data.judge_of(info)
    assert shown is not None
    said = [f"{half_tones(to_float(torch.from_numpy(shown))):.0%} of the ink is grey"]
    if judge is not None:
        found = data.coverage_of(dict(info.snapshots)[epoch], judge, 1)
        covered = len(found.wanted) - len(found.missing)
        said.append(f"{1 - sum(found.unlike) / found.n:.0%} look real to a classifier")
        said.append(f"{covered} of {len(found.wanted)} classes drawn")
        said.append(f"variety {found.variety:.0%}")
    return " · ".join(said)


def reference(info: Info) -> None:
    """The same numbers for real images."""
    x = to_float(loading.pictures_of(info).test_x[: data.N])
    st.caption(
        f"Real test images: {half_tones(x):.0%} of the ink is grey, variety 100%. Grey: pixels "
        "between 0.1 and 0.9 among those above 0.1, over the 100 samples shown. Classes and "
        f"variety: over {data.N:,} samples; a class is drawn if a tenth of its fair "
        "share looks like it to our classifier. Samples look real if their features are closer to "
        "those of real images than to those of noise. Variety is the mean squared distance of two "
        "samples over that of two real images."
    )


def alike(pictures: Sequence[NDArray[np.uint8] | None]) -> NDArray[np.uint8]:
    """Pictures (H, W) or (H, W, 3) of any size, in colour on black of one size; None is black."""
    there = [p for p in pictures if p is not None]
    height, width = (max(p.shape[axis] for p in there) for axis in (0, 1))
    out = np.zeros((len(pictures), height, width, 3), np.uint8)
    for k, one in enumerate(pictures):
        if one is not None:
            colour = one if one.ndim == 3 else one[..., None].repeat(3, axis=2)
            out[k, : one.shape[0], : one.shape[1]] = colour
    return out


def download_table(rows: Sequence[Info], epochs: Sequence[int]) -> None:
    """The whole table as one picture."""

    def png() -> bytes:
        grids = [grid(info, epoch) for info in rows for epoch in epochs]
        tiled = [None if g is None else images.grid_image(g, SIDE) for g in grids]
        return images.to_png(images.grid_image(alike(tiled), len(epochs), gap=12), scale=2)

    download(
        "Table (PNG)",
        png,
        "gan-against-vae.png",
        "All grids: a row a model, a column an epoch.",
        key=f"{KEY}.png",
    )
