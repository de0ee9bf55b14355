"""The page of the energy-based GAN: energies against the margin, one image, the training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
import torch

from genlib.models.capabilities import HasMargin
from genlib.plots.adversarial import Mark, history_figure, score_figure
from genlib.plots.kernels import diverging
from genlib.store.checkpoint import Info
from genlib.ui.adversarial.gan import data
from genlib.ui.adversarial.gan.subject import pick_subject
from genlib.ui.adversarial.gan.training import collapse_warning, epochs, pick_epoch
from genlib.ui.kit import images, links, loading
from genlib.ui.kit.columns import side_by_side
from genlib.ui.kit.pickers import download
from genlib.ui.kit.picture_table import PictureCard, cards, signed_legend
from genlib.ui.kit.plain import plain

KEY = "ebgan"
SHOWN = 36
UNIT = "energy C, squared error summed over pixels"
TERMS = {
    "train/c_x": "C(x), training",
    "test/c_x": "C(x), test",
    "train/c_gz": "C(G(z)), training",
}


def weight_line(info: Info) -> None:
    """Whether G was trained by the lecture's loss or by the paper's, which keeps samples apart."""
    weight = float(str(info.config.get("pull_away", 0.0)))
    said = f"{plain(info.name)} was trained with w = {weight:g}: "
    st.caption(
        said + "samples whose codes are alike cost G something. Without it (w = 0, the lecture's "
        "loss) a small G soon draws one image for every z."
        if weight
        else said + "the lecture's loss. Watch for one image that is drawn for every z."
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


@st.fragment
def energies(info: Info, epoch: int, path: Path) -> None:
    """Histograms of all groups, and one image marked among them."""
    model = cost_network(path)
    left, right = side_by_side(460, 580)
    with left:
        subject = pick_subject(f"{KEY}.image", info)
        value = float(data.score(path, "energy", subject.image[None])[0])
        _rebuilt(model, subject.image, value)
    with right:
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
        found = {g: data.group_scores(path, "energy", g) for g in shown or data.GROUPS}
        marks = [
            Mark(model.margin(), f"margin m = {model.margin():g}", "dash"),
            Mark(value, f"this image: {value:.1f}"),
        ]
        st.plotly_chart(score_figure(found, UNIT, marks), key=f"{KEY}.histograms")
        st.caption(_summary(path, model.margin(), epoch))


def _rebuilt(model: HasMargin, image: torch.Tensor, value: float) -> None:
    """What the cost network makes of the image, and where it errs."""
    device = model.device  # type: ignore[attr-defined]
    with torch.no_grad():
        rebuilt = model.rebuild(image[None].to(device))[0].float().cpu()
    error = (rebuilt - image).mean(0).numpy()
    cards(
        [
            PictureCard("Image", images.to_uint8(image)),
            PictureCard("Dec(Enc(x))", images.to_uint8(rebuilt)),
            PictureCard("Error", diverging(error, 1.0), number=f"C = {value:.1f}"),
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


def training(info: Info, epoch: int, path: Path) -> None:
    """Mean energies over the epochs, and the samples of the epoch above."""
    model = cost_network(path)
    left, right = side_by_side(420, 620)
    with left:
        with st.container(horizontal=True):
            data.new_z(KEY, "Draw other z; the link holds their seed.")
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
        collapse_warning(info, path)
    with right:
        if not any("train/c_x" in row for row in info.history):
            st.info("This checkpoint holds no history of its training.", icon=":material/info:")
        else:
            level = (model.margin(), f"margin m = {model.margin():g}")
            st.plotly_chart(
                history_figure(info.history, TERMS, "mean energy", at=epoch, level=level),
                key=f"{KEY}.history",
            )
            st.caption(
                "The cost network pushes C(G(z)) up while it is below m; above, the hinge gives no "
                "gradient. The generator always pulls it down. A margin below C(x) asks nothing of "
                "the cost network, which then gives G nothing to learn from."
            )
        _by_epoch(info, model.margin())


def _by_epoch(info: Info, margin: float) -> None:
    """Medians of every group for each epoch that was kept."""
    rows = []
    for epoch, path in info.snapshots:
        medians = {g: np.median(data.group_scores(path, "energy", g)) for g in data.GROUPS}
        rows.append({"epoch": epoch, **{g: round(float(m), 1) for g, m in medians.items()}})
    st.dataframe(rows, hide_index=True, key=f"{KEY}.medians", height="content")
    st.caption(f"Median energies of {data.N:,} images each; the margin is {margin:g}.")
