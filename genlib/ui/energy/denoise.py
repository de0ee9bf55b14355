"""The Denoise page's parts: one digit live, a batch, and measured curves."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import streamlit as st
import torch
from torch import Tensor

from genlib.explore import inpainting
from genlib.models.capabilities import Reconstructs
from genlib.models.denoising import CORRUPTIONS
from genlib.plots.denoise import UNTOUCHED as GREY
from genlib.plots.denoise import Line
from genlib.plots.kernels import MODEL_COLOURS
from genlib.store.checkpoint import Info
from genlib.ui.kit import loading
from genlib.ui.kit.picture_table import PictureCard, PictureRow, cards, grey, picture_table
from genlib.ui.kit.plain import plain
from genlib.ui.kit.signed import signed

KINDS = {  # what the page says, and so what a link holds -> name in CORRUPTIONS
    "Dropout": "dropout",
    "Salt and pepper": "salt_pepper",
    "Blanked block": "block",
    "Gaussian noise": "gaussian",
}
UNITS = {
    "dropout": "share of damaged pixels",
    "salt_pepper": "share of damaged pixels",
    "block": "share of the area that is blanked",
    "gaussian": "standard deviation of the noise, black to white = 1",
}
NOTES = {
    "dropout": "Pixels turn mid-grey at random. Mid-grey is rare in a digit, so a model can see "
    "the damage. Inpainting is told where it is.",
    "salt_pepper": "Pixels turn white or black at random. A white pixel could be ink, so a model "
    "has to guess. Only inpainting is told.",
    "block": "One square turns black, the colour of the paper. Only inpainting knows that "
    "something is missing.",
    "gaussian": "Noise on every pixel: no pixel is known to be good, so inpainting has nothing "
    "to start from.",
}
STARTS = {"block": 0.15}  # half of the picture would be gone with 0.5, START of the others
START = 0.5
STRENGTHS = (0.05, 0.15, 0.25, 0.35, 0.5, 0.65, 0.8, 0.9)
TIE = 5e-5  # errors this close look equal in four decimals
UNTOUCHED = "Corrupted"
N_MEASURED = 100


def repairs(infos: list[Info], told: bool) -> dict[str, inpainting.Repair]:
    """Every repair that is compared, by name: models, inpainting, the median filter."""
    models = {i.name: _model_repair(i, told) for i in infos}
    return {**models, **inpainting.INPAINTING, **inpainting.FILTERS}


def _model_repair(info: Info, told: bool) -> inpainting.Repair:
    model = loading.model(info)
    if not isinstance(model, Reconstructs):
        raise TypeError(f"{info.name} does not reconstruct")
    return inpainting.model_repair(model, told)


def trained_against(info: Info) -> str:
    """What damage a denoising model was trained on, in a sentence; "" if it does not say."""
    titles = {name: title.lower() for title, name in KINDS.items()}
    met = titles.get(str(info.config.get("corruption", "")))
    if met is None:
        return ""
    strength = plain(str(info.config.get("strength", "?")))
    return f"{plain(info.name)} was trained on {met} of strength {strength}."


def colours(names: Iterable[str]) -> dict[str, str]:
    """The colour of each repair, on its card and in the chart: the same for every damage."""
    return dict(zip(names, itertools.cycle(MODEL_COLOURS), strict=False))


def needs_mask(name: str) -> bool:
    """Whether a repair works only where some pixels are known to be good."""
    return name in inpainting.INPAINTING


def one_digit(
    x: Tensor, x_bad: Tensor, mask: Tensor, methods: dict[str, inpainting.Repair], told: bool
) -> str:
    """Show clean, corrupted and repaired pictures of one digit x (1, 1, H, W); the verdict."""
    items = [PictureCard("Clean", grey(x[0, 0].numpy()), note="what should come out")]
    untouched = float(inpainting.mse(x_bad, x))
    image = grey(x_bad[0, 0].numpy())
    items.append(PictureCard(UNTOUCHED, image, f"{untouched:.4f}", "unchanged", colour=GREY))
    blind = bool(mask.all())  # every pixel is damaged: nothing is known
    fixed = {
        name: repair(x_bad, mask)
        for name, repair in methods.items()
        if not (blind and needs_mask(name))
    }
    errors = {name: float(inpainting.mse(x_hat, x)) for name, x_hat in fixed.items()}
    lowest = min(errors.values())
    colour = colours(methods)
    for name in methods:
        if name not in fixed:
            note = "Needs good pixels to start from; all are damaged."
            items.append(PictureCard(name, None, "–", note, colour=colour[name]))
            continue
        image = grey(fixed[name][0, 0].clamp(0, 1).numpy())
        best = errors[name] <= lowest + TIE
        note = _knows(name, told)
        items.append(PictureCard(name, image, f"{errors[name]:.4f}", note, best, colour[name]))
    cards(items)
    return _verdict(errors, untouched)


def _knows(name: str, told: bool) -> str:
    if name in inpainting.FILTERS:
        return "simple filter"
    return "knows the mask" if told or needs_mask(name) else "sees only the image"


def _verdict(errors: dict[str, float], untouched: float) -> str:
    ranked = sorted(errors, key=errors.__getitem__)
    first, second = ranked[0], ranked[1]
    if untouched <= errors[first] + TIE:
        return "Nothing beats leaving the digit unchanged."
    factor = errors[second] / max(errors[first], 1e-6)
    return (
        f"**{plain(first)}** leaves the smallest error, {errors[first]:.4f}; "
        f"the next is {plain(second)} with {factor:.2f} times as much. "
        f"Unchanged: {untouched:.4f}."
    )


def batch_rows(
    x: Tensor, x_bad: Tensor, mask: Tensor, methods: dict[str, inpainting.Repair]
) -> None:
    """The lecture's figure for a batch (B, 1, H, W): mask, corrupted, then a row per repair."""
    noise = PictureRow("Noise mask", "white: damaged", grey(mask[:, 0].float().numpy()))
    if mask.all():  # then the mask says nothing; the noise itself does
        noise = PictureRow(
            "Noise", "red: added, blue: removed", signed((x_bad - x)[:, 0].numpy(), 1.0)
        )
    rows = [
        noise,
        PictureRow(UNTOUCHED, _mean(inpainting.mse(x_bad, x)), grey(x_bad[:, 0].numpy())),
    ]
    for name, repair in methods.items():
        if mask.all() and needs_mask(name):
            continue
        x_hat = repair(x_bad, mask)
        errors = inpainting.mse(x_hat, x)
        captions = [f"{e:.3f}" for e in errors.tolist()]
        rows.append(
            PictureRow(name, _mean(errors), grey(x_hat[:, 0].clamp(0, 1).numpy()), captions)
        )
    picture_table(rows)


def _mean(errors: Tensor) -> str:
    mean, stderr = float(errors.mean()), float(errors.std() / len(errors) ** 0.5)
    return f"{mean:.4f} ± {stderr:.4f}"


@st.cache_data(
    max_entries=64,
    show_spinner=f"Measuring {N_MEASURED} test digits…",
    hash_funcs=loading.BY_FILE,
)
def curves(infos: list[Info], kind: str, told: bool, label: int | None) -> dict[str, Line]:
    """Error against strength on test digits (of one class, or all)."""
    data = loading.dataset()
    x, y = data.test_x, data.test_y
    chosen = x if label is None else x[y == label]
    order = torch.randperm(len(chosen), generator=torch.Generator().manual_seed(0))
    images = chosen[order[:N_MEASURED]].float() / 255
    methods: dict[str, inpainting.Repair] = {UNTOUCHED: lambda x_bad, _: x_bad}
    methods |= {info.name: _model_repair(info, told) for info in infos}
    if kind != "gaussian":  # there every pixel is damaged: inpainting has nothing to start from
        methods |= inpainting.INPAINTING
    methods |= inpainting.FILTERS
    found = inpainting.error_curves(images, CORRUPTIONS[kind], STRENGTHS, methods)
    colour = colours([*(i.name for i in infos), *inpainting.INPAINTING, *inpainting.FILTERS])
    return {
        name: Line(
            c.strength, c.mean, c.stderr, name == UNTOUCHED, _dash(name), colour.get(name, "")
        )
        for name, c in found.items()
    }


def _dash(name: str) -> str:
    if needs_mask(name):
        return "dash"
    return "dashdot" if name in inpainting.FILTERS else "solid"


@st.cache_resource(max_entries=4, show_spinner=False)
def one_of_each() -> Tensor:
    """The first test digit of each class: (10, 1, H, W) in [0, 1]. Shared: do not change it."""
    data = loading.dataset()
    first = [int((data.test_y == c).nonzero()[0]) for c in range(len(data.classes))]
    return data.test_x[first].float() / 255
