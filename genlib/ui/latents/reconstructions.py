"""The parts of the page on reconstructions and kernels, with what they cache."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib.data.datasets import Dataset, to_float
from genlib.explore import kernels as layer
from genlib.models.capabilities import HasKernels, Reconstructs
from genlib.plots.kernels import (
    OWN,
    class_bars,
    error_bars,
    levels,
    shared_limit,
)
from genlib.store.checkpoint import Info
from genlib.ui.components.decoder_store import component_key
from genlib.ui.components.kernel_grid import kernel_grid
from genlib.ui.kit import loading
from genlib.ui.kit.images import picture
from genlib.ui.kit.picture_table import PictureRow, grey, picture_table
from genlib.ui.kit.plain import plain
from genlib.ui.kit.signed import palette, signed, signed_legend


@dataclass(frozen=True)
class FirstLayer:
    """A model's first layer, measured on the test set of the data it was trained on."""

    kernels: layer.Kernels
    activations: Tensor  # (n_images, n_units), float16 to save memory
    pixels: int  # how many pixels carry the digits


def data_of(info: Info) -> Dataset:
    """The dataset that a checkpoint was trained on, all classes."""
    return loading.all_pictures_of(info)


@st.cache_resource(
    max_entries=8,
    show_spinner="Measuring the first layer on the test set…",
    hash_funcs=loading.BY_FILE,
)
def measured(info: Info) -> FirstLayer:
    """Kernels and activations of a checkpoint, cached."""
    model = loading.model(info)
    if not isinstance(model, HasKernels):
        raise TypeError(f"{info.name} has no kernels")
    x = to_float(data_of(info).test_x)
    spread, activations = layer.pixel_spread(x), layer.activations(model, x)
    weights = model.kernels().float().cpu()
    found = layer.measure(weights, activations, spread)
    return FirstLayer(found, activations.half(), layer.varying_pixels(spread))


@st.cache_data(
    max_entries=128,
    show_spinner="Measuring the error on the test set…",
    hash_funcs=loading.BY_FILE,
)
def test_error(info: Info) -> tuple[float, float]:
    """Mean squared error per pixel over all test images, and its standard error."""
    model = loading.model(info)
    if not isinstance(model, Reconstructs):
        raise TypeError(f"{info.name} does not reconstruct")
    x = to_float(data_of(info).test_x)
    return layer.mean_and_stderr(layer.reconstruction_errors(model, x))


def latent_dim(info: Info) -> int:
    """Numbers in the code of a checkpoint, 0 if it does not say."""
    value = info.config.get("latent_dim", 0)
    return value if isinstance(value, int) else 0


def reconstructions(infos: list[Info], x: Tensor, differences: bool) -> None:
    """The same images x (N, C, H, W) through every model: output, and difference if wanted."""
    rows = [PictureRow("Input", "test digits", pictures(x))]
    for info in infos:
        model = loading.model(info)
        if not isinstance(model, Reconstructs):
            raise TypeError(f"{info.name} does not reconstruct")
        x_hat = layer.reconstruct(model, x)
        errors = (x_hat - x).square().flatten(1).mean(1)
        captions = [f"{e:.4f}" for e in errors.tolist()]
        detail = f"{latent_dim(info)} latents{_classes(info)}"
        rows.append(PictureRow(info.name, detail, pictures(x_hat), captions, rule=True))
        if differences:
            difference = signed((x_hat - x).mean(1).numpy(), 1.0)
            rows.append(PictureRow("", "output − input", difference))
    picture_table(rows, fits=True)
    st.caption("Under each output: squared error per pixel, pixels in [0, 1].")
    if differences:
        signed_legend("−1 too dark", "0", "+1 too bright")


def pictures(x: Tensor) -> NDArray[np.uint8]:
    """Images (N, C, H, W) in [0, 1] for a row: uint8 (N, H, W), or (N, H, W, 3) in colour."""
    return grey((x[:, 0] if x.shape[1] == 1 else x.movedim(1, -1)).numpy())


def _classes(info: Info) -> str:
    classes = str(info.train.get("classes", ""))
    return f", trained on {classes} only" if classes else ""


def compare_errors(infos: list[Info]) -> None:
    """Test error of every model, sorted by latents, as a chart and a table."""
    ordered = sorted(infos, key=latent_dim)
    found = [test_error(i) for i in ordered]
    names = [f"{i.name} · {latent_dim(i)}" for i in ordered]
    means, stderrs = [m for m, _ in found], [s for _, s in found]
    with st.container(horizontal=True, gap="medium"):
        chart, table = st.container(width=540), st.container(width=500)
    chart.plotly_chart(error_bars(names, means, stderrs), key="reconstructions.errors")
    table.dataframe(
        {
            "model": [i.name for i in ordered],
            "latents": [latent_dim(i) for i in ordered],
            "parameters": [i.parameters for i in ordered],
            "test MSE": [f"{m:.5f} ± {s:.5f}" for m, s in found],
        },
        hide_index=True,
    )


def grid(
    info: Info, by: str, scale: str, criterion: str, threshold: float, selected: int | None
) -> None:
    """One model's kernels with the marked units framed; a click chooses a unit for the zoom."""
    found = measured(info)
    k = found.kernels
    units = layer.order(k, by)
    marked = layer.dead(k, criterion, threshold)
    silence = layer.silence_score(k)
    smooth = ["" if math.isnan(s) else f" · smoothness {s:.2f}" for s in k.smoothness.tolist()]
    notes = [
        f"unit {u}{' · marked' if marked[u] else ''} · activity {silence[u]:.2f}{smooth[u]}"
        f" · strength {k.strength[u]:.2f}"
        for u in units.tolist()
    ]
    n = len(units)
    st.markdown(f"**{plain(info.name)}** · {size_text(info, found.pixels)}")
    noise = k.border_noise
    border = "no constant border" if math.isnan(noise) else f"border noise {noise:.2f}"
    st.markdown(f":orange-badge[{int(marked.sum())} of {n} marked] :blue-badge[{border}]")

    def pick(unit: int) -> None:
        st.session_state["reconstructions.of"] = info.name
        st.session_state["reconstructions.unit"] = unit

    kernel_grid(
        component_key("reconstructions.grid", info.name),
        levels(k.weights[units].numpy(), scale == OWN),
        palette(),
        units.tolist(),
        notes,
        marked[units].tolist(),
        selected,
        pick,
    )
    if scale == OWN:
        st.caption("Each kernel from minus to plus its own largest weight.")
    else:
        limit = shared_limit(k.weights.numpy())
        st.caption(f"Colours from −{limit:.3f} to +{limit:.3f}.")


def size_text(info: Info, pixels: int) -> str:
    """Under- or over-complete: the code against the pixels that the digits use."""
    d = latent_dim(info)
    kind = "under-complete" if d < pixels else "over-complete"
    return f"{d} latents, {kind}"


def zoom(info: Info, unit: int) -> None:
    """One unit: its kernel enlarged, the digits that excite it, its mean activation by class."""
    found, data = measured(info), data_of(info)
    values = found.activations[:, unit].float()
    order = values.argsort()
    with st.container(horizontal=True, gap="medium"):
        left, middle, right = (st.container(width=w) for w in (256, 410, 340))
    with left:
        weights = found.kernels.weights[unit]
        limit = max(float(weights.abs().max()), 1e-9)
        picture(signed(weights.numpy(), limit), f"unit {unit} of {info.name}", width=252)
        signed_legend(f"−{limit:.3f}", "0", f"+{limit:.3f}")
    with middle:
        top, low = order.flip(0)[:6], order[:6]
        rows = []
        for name, chosen in (("Highest", top), ("Lowest", low)):
            captions = [f"{v:.2f}" for v in values[chosen].tolist()]
            shown = pictures(to_float(data.test_x[chosen]))
            rows.append(PictureRow(name, "activation", shown, captions))
        picture_table(rows)
        st.caption(
            f"Activation over {len(values):,} test digits: mean {values.mean():.3f}, standard "
            f"deviation {values.std():.3f}."
        )
    with right:
        stats = layer.by_class(values, data.test_y, len(data.classes))
        figure = class_bars([m for m, _ in stats], [s for _, s in stats], data.classes)
        st.plotly_chart(figure, key="reconstructions.classes")


def test_digits(data: Dataset, label: int | None, seed: int, n: int = 10) -> Tensor:
    """n test digits in [0, 1], one of each class, or all of one class: (n, C, H, W)."""
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data.test_y), generator=rng)
    if label is None:
        chosen = [order[data.test_y[order] == c][:1] for c in range(len(data.classes))]
        return to_float(data.test_x[torch.cat(chosen)])
    return to_float(data.test_x[order[data.test_y[order] == label][:n]])
