"""The page of the energy-based GAN: energies against the margin, one image, the training."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from genlib.models.capabilities import HasMargin
from genlib.plots.adversarial import Mark, history_figure, score_figure
from genlib.store.checkpoint import Info
from genlib.ui.adversarial.gan import data
from genlib.ui.adversarial.gan.subject import pick_subject
from genlib.ui.adversarial.gan.training import collapse_warning, epochs, pick_epoch
from genlib.ui.kit import images, links, loading
from genlib.ui.kit.pickers import download
from genlib.ui.kit.picture_table import PictureCard, cards
from genlib.ui.kit.plain import plain
from genlib.ui.kit.signed import signed, signed_legend
from genlib.ui.kit.stage import wait_for_drawing

KEY = "ebgan"
SHOWN = 36
FAR = ("Noise",)  # ten times the energy of digits: on its axis nothing else could be told apart
HEIGHT = 250  # of the histograms, below three pictures in the first screen
UNIT = "energy C, squared error summed over pixels"
TERMS = {
    "train/c_x": "C(x), training",
    "test/c_x": "C(x), test",
    "train/c_gz": "C(G(z)), training",
}


class Parts(NamedTuple):
    """Where a view draws: settings, the stage, and what the numbers say below it."""

    controls: DeltaGenerator
    picture: DeltaGenerator
    below: DeltaGenerator


def weight_line(info: Info) -> None:
    """Whether G was trained by the lecture's loss or by the paper's, which keeps samples apart."""
    weight = float(str(info.config.get("pull_away", 0.0)))
    said = f"{plain(info.name)} was trained with w = {weight:g}: "
    st.caption(
        said + "G pays for samples with similar codes. Without this term (w = 0, the lecture's "
        "loss) a small G soon draws one image for every z."
        if weight
        else said + "the lecture's loss. Check whether every z gives the same image."
    )


def choose_epoch(info: Info) -> tuple[int, Path]:
    """The epoch whose weights the page looks at."""
    known = {e: path for e, path in epochs(info).items() if path.suffix == ".safetensors"}
    epoch = pick_epoch(f"{KEY}.epoch", list(known))
    return epoch, known[epoch]


def cost_network(path: Path) -> HasMargin:
    """The model of a checkpoint. Raises TypeError for one without a margin."""
    model = loading.model(path)
    if not isinstance(model, HasMargin):
        raise TypeError(f"{path.name} has no margin")
    return model


def energies(info: Info, epoch: int, path: Path, places: Parts) -> None:
    """One image and what the judge makes of it, marked in the histograms of all groups."""
    model = cost_network(path)
    with places.controls:
        subject = pick_subject(f"{KEY}.image", info)
        shown = st.pills(
            "Groups",
            list(data.GROUPS),
            default=list(data.GROUPS),
            selection_mode="multi",
            wrap=True,
            key=f"{KEY}.groups",
            bind="query-params",
            help=f"{data.N:,} images of each.",
        )
    places.below.caption(_summary(path, model.margin(), epoch))
    found = {g: data.group_scores(path, "energy", g) for g in shown or data.GROUPS}
    marks = [Mark(model.margin(), f"margin m = {model.margin():g}", "dash")]
    with places.picture:
        if subject.stand_in:
            wait_for_drawing()
        else:
            value = float(data.score(path, "energy", subject.image[None])[0])
            marks.append(Mark(value, f"this image: {value:.1f}"))
            _rebuilt(model, subject.image, value)
        figure = score_figure(found, UNIT, marks, far=FAR).update_layout(height=HEIGHT)
        st.plotly_chart(figure, key=f"{KEY}.histograms")


def _rebuilt(model: HasMargin, image: torch.Tensor, value: float) -> None:
    """What the judge makes of the image, and where it errs."""
    device = model.device  # type: ignore[attr-defined]
    with torch.no_grad():
        rebuilt = model.rebuild(image[None].to(device))[0].float().cpu()
    error = (rebuilt - image).mean(0).numpy()
    cards(
        [
            PictureCard("Image", images.to_uint8(image)),
            PictureCard("Reconstruction", images.to_uint8(rebuilt)),
            PictureCard(f"C = {value:.1f}", signed(error, 1.0)),
        ]
    )
    signed_legend("ink left out", "none", "ink added")


def _summary(path: Path, margin: float, epoch: int) -> str:
    """Where the groups lie, in words."""
    said = []
    for name in data.GROUPS:
        values = data.group_scores(path, "energy", name)
        below = float((values < margin).mean())
        said.append(f"{name.lower()} {np.median(values):.1f} ({below:.0%} below m)")
    return f"Median energies after epoch {epoch}: {', '.join(said)}."


def training(info: Info, epoch: int, path: Path, places: Parts) -> None:
    """The samples of an epoch, and mean energies over all of them."""
    model = cost_network(path)
    with places.picture:
        left, right = st.columns(2)
    with left:
        _samples(info, epoch, path)
    with right:
        _history(info, epoch, model.margin())
    with places.below:
        collapse_warning(info, path)
        _by_epoch(info, model.margin())


def _samples(info: Info, epoch: int, path: Path) -> None:
    """A grid of samples after an epoch, to look at and to save."""
    with st.container(horizontal=True):
        data.new_z(KEY, "Draw new z. The link holds their seed.")
        shown = data.samples(path, SHOWN, links.number(f"{KEY}.seed"))
        tiled = images.grid_image(shown, 6)
        download(
            "Samples (PNG)",
            lambda: images.to_png(tiled, scale=4),
            f"{info.name}-epoch-{epoch}.png",
            "The grid below.",
            key=f"{KEY}.png",
        )
    st.image(images.data_url(tiled), width="stretch", alt=f"Samples after epoch {epoch}")
    st.caption(f"G(z) after epoch {epoch}; the same z at every epoch.")


def _history(info: Info, epoch: int, margin: float) -> None:
    """Mean energies over the epochs, against the margin."""
    if not any("train/c_x" in row for row in info.history):
        st.info("This checkpoint has no training history.", icon=":material/info:")
        return
    level = (margin, f"margin m = {margin:g}")
    st.plotly_chart(
        history_figure(info.history, TERMS, "mean energy", at=epoch, level=level),
        key=f"{KEY}.history",
    )
    st.caption(
        "The judge pushes C(G(z)) up while it is below m. Above m the hinge gives no gradient. The "
        "generator always pulls it down. If m is below C(x), the judge stops pushing before "
        "samples have more energy than real images. Then it need not tell the two apart, and G "
        "learns nothing useful."
    )


def _by_epoch(info: Info, margin: float) -> None:
    """Medians of every group for each epoch that was kept."""
    rows = []
    for epoch, path in info.snapshots:
        medians = {g: np.median(data.group_scores(path, "energy", g)) for g in data.GROUPS}
        rows.append({"epoch": epoch, **{g: round(float(m), 1) for g, m in medians.items()}})
    st.dataframe(rows, hide_index=True, height="content")
    st.caption(f"Median energies of {data.N:,} images each. The margin is {margin:g}.")
