"""The table GAN against VAE: one row a model, one column an epoch, the same z along a row."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from genlib.data.datasets import to_float
from genlib.explore.coverage import half_tones
from genlib.store.checkpoint import Info
from genlib.ui.adversarial.gan import data
from genlib.ui.kit import images, links, loading
from genlib.ui.kit.pickers import download

KEY = "versus"
WANTED = (1, 10, 25)  # the lecture's columns
SAMPLES = 100  # of one model at one epoch; the first of them are shown
MOST = 5  # columns
SIDES = {1: 8, 2: 7, 3: 6, 4: 5, 5: 4}  # tiles in a row of a grid, by the number of columns
ON_PHONE = {1: 8, 2: 5, 3: 3, 4: 2, 5: 2}  # the same on a phone, which shows a corner of each grid

_STYLE = """<style>
.versus {display: grid; gap: 4px 16px; justify-content: start;
  grid-template-columns: repeat(var(--columns), minmax(0, calc((100dvh - 316px) / 2)));}
.versus h3 {grid-column: 1 / -1; margin: 0; padding: 0; font-size: 1rem; line-height: 1.4;}
.versus figure {margin: 0;}
.versus .grid {overflow: hidden; aspect-ratio: 1; border-radius: 4px;}
.versus img {width: 100%; display: block; image-rendering: pixelated;}
.versus figcaption {font-size: .875rem; line-height: 1.3; opacity: .85;}
.versus .none {aspect-ratio: 1; display: grid; place-items: center; padding: 8px; font-size: .8rem;
  border: 1px dashed rgb(128 128 128 / 60%); border-radius: 4px; text-align: center;}
@media (max-width: 820px) {
  .versus {grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); gap: 4px 8px;}
  .versus img {width: calc(100% * var(--side) / var(--phone));}
}
</style>"""


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
    return None if path is None else data.samples(path, SAMPLES, links.number(f"{KEY}.seed"))


def table(rows: Sequence[Info], epochs: Sequence[int]) -> None:
    """All grids in one piece of HTML: one row per model, one column per epoch."""
    columns = len(epochs)
    cells = "".join(
        f"<h3>{escape(_kind(info))} · {escape(info.name)}</h3>"
        + "".join(_cell(info, epoch, SIDES[columns]) for epoch in epochs)
        for info in rows
    )
    sizes = f"--columns: {columns}; --side: {SIDES[columns]}; --phone: {ON_PHONE[columns]}"
    st.html(f'{_STYLE}<div class="versus" style="{sizes}">{cells}</div>')


def _kind(info: Info) -> str:
    from genlib.models import FAMILIES

    return FAMILIES[info.family].title


def _cell(info: Info, epoch: int, side: int) -> str:
    """One grid of side × side samples, or a sentence where that epoch was not kept."""
    shown = grid(info, epoch)
    if shown is None:
        kept = ", ".join(str(e) for e, _ in info.snapshots)
        text = escape(f"{info.name} has no saved weights for epoch {epoch}, only for {kept}.")
        inside = f'<div class="none">{text}</div>'
    else:
        source = images.data_url(images.grid_image(shown[: side**2], side))
        alt = escape(f"{info.name} after epoch {epoch}")
        inside = f'<div class="grid"><img alt="{alt}" src="{source}"></div>'
    return f"<figure><figcaption>After epoch {epoch}</figcaption>{inside}</figure>"


def numbers(rows: Sequence[Info], epochs: Sequence[int]) -> None:
    """What can be counted in each grid, and the same for real images."""
    counted = [
        {"model": info.name, "epoch": str(epoch), **_counted(info, epoch)}
        for info in rows
        for epoch in epochs
        if epoch in dict(info.snapshots)
    ]
    x = to_float(loading.pictures_of(rows[0]).test_x[: data.N])
    counted.append(
        {"model": "real test images", "epoch": "–", **_said(half_tones(x), "–", "all", 1.0)}
    )
    st.dataframe(counted, hide_index=True, height="content", key=f"{KEY}.numbers")
    st.caption(
        f"Grey ink: pixels between 0.1 and 0.9 among those above 0.1, over {SAMPLES} samples, of "
        f"which the first are shown. The rest is measured over {data.N:,} samples. Samples look "
        "real if their features are closer to those of real images than to those of noise. A "
        "class counts as drawn if our classifier finds it in at least 1 of 100 samples, a tenth of "
        "the 1 in 10 that is fair for ten classes, and more often than in noise. Variety is the "
        "mean squared distance of two samples over that of two real images."
    )


def _said(grey: float, real: str, classes: str, variety: float | None) -> dict[str, str]:
    return {
        "grey ink": f"{grey:.0%}",
        "look real": real,
        "classes drawn": classes,
        "variety": "–" if variety is None else f"{variety:.0%}",
    }


def _counted(info: Info, epoch: int) -> dict[str, str]:
    shown, judge = grid(info, epoch), data.judge_of(info)
    assert shown is not None
    grey = half_tones(to_float(torch.from_numpy(shown)))
    if judge is None:
        return _said(grey, "–", "–", None)
    found = data.coverage_of(dict(info.snapshots)[epoch], judge, 1)
    covered = f"{len(found.wanted) - len(found.missing)} of {len(found.wanted)}"
    real = f"{1 - sum(found.unlike) / found.n:.0%}"
    return _said(grey, real, covered, found.variety)


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
        tiled = [None if g is None else images.grid_image(g, 10) for g in grids]
        return images.to_png(images.grid_image(alike(tiled), len(epochs), gap=12), scale=2)

    download(
        "Table (PNG)",
        png,
        "gan-against-vae.png",
        "All grids: one row per model, one column per epoch.",
        key=f"{KEY}.png",
    )
