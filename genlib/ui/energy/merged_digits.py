"""What the page of merged digits shows of one model: frames, numbers, words; all of it cached."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib.data.datasets import Dataset, to_float
from genlib.evaluate import energy
from genlib.models.capabilities import Reconstructs
from genlib.plots.energy import Curve
from genlib.store.checkpoint import Info
from genlib.ui.components.digit_picker import Digit
from genlib.ui.components.merged_digits import Card, Histogram
from genlib.ui.kit import loading
from genlib.ui.kit.plain import plain

N = 2000  # real digits, and merges, behind every histogram and AUC
BINS = 40
STILL_A_DIGIT = 0.2  # less than this share of a second digit, and anyone sees only the first
UNITS = {
    "squared error": "squared error",
    "1 - correlation": "1 − correlation",
}
FRAMES = {"alpha": 101, "max": 1, "splice": 29}  # splice: a cut above each row, and below all

Floats = NDArray[np.float64]
Pixels = NDArray[np.float32]


@st.cache_data(max_entries=200, show_spinner="Measuring 2,000 digits …", hash_funcs=loading.BY_FILE)
def energies(info: Info, kind: str, how: str = "") -> Floats:
    """Energies of N random test digits of the classes that the model knows: (N,).

    how: measure merges of two classes instead, half and half, of the same test digits.
    """
    model, device = _model(info)
    data = loading.pictures_of(info)
    rng = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(data.test_x), generator=rng)[:N]
    x, y = to_float(data.test_x[chosen]), data.test_y[chosen]
    if how:
        x = energy.merge_pairs(x, y, how, len(x), rng)
    # Every image with noise of its own: with one noise for all, AUC's error bar would be too small.
    noise = torch.Generator().manual_seed(1 + len(how))
    return energy.energies(model, x.to(device), kind, noise)


@st.cache_resource(  # 0.1 MB each; what is returned is never changed
    max_entries=64,
    show_spinner=False,
    hash_funcs={**loading.BY_FILE, Tensor: lambda image: image.numpy()},
)
def card(info: Info, a: Tensor, b: Tensor, how: str, kind: str, colour: str = "") -> Card:
    """Everything that one model's card shows of digits a and b (C, H, W) merged at every alpha.

    The colour is that of the model's curves.
    """
    model, device = _model(info)
    run = energy.along_alpha(model, a.to(device), b.to(device), how, kind, steps=FRAMES[how])
    real, merged = energies(info, kind), energies(info, kind, how)
    shares = energy.share_above(real, run.energy)
    # How little there is of the other digit; the maximum has all of both.
    other = np.minimum(run.alpha, 1 - run.alpha) if how != "max" else np.full(1, 0.5)
    spoken = [verdict(*pair) for pair in zip(shares.tolist(), other.tolist(), strict=True)]
    classes = str(info.train.get("classes", ""))  # such as "1,5,6"; empty: all
    return Card(
        title=info.name,
        colour=colour,
        unit=unit(info, kind),
        text=f"{len(real):,} test digits" + (f" of classes {classes}" if classes else ""),
        x_hat=to_bytes(run.x_hat),
        energy=[round(float(e), 4) for e in run.energy],
        verdict=[words for words, _ in spoken],
        mood=[mood for _, mood in spoken],
        histogram=histogram(real, merged),
        band=tuple(np.percentile(real, [5, 50, 95]).round(4).tolist()),
    )


def unit(info: Info, kind: str) -> str:
    """What the number on a card is, and in which unit."""
    if kind != energy.OWN:
        return UNITS[kind]
    return "−ELBO in nats" if "Bounds" in info.capabilities else "its own energy"


def verdict(share: float, other: float) -> tuple[str, str]:
    """Say what an energy means: share of real digits with more of it -> (words, mood).

    other: share of the other digit in the image, from 0 (an untouched digit) to 0.5. Below 5% of
    real digits it would be caught at a threshold that rejects 5% of them; above 25% nothing sets
    it apart. The mood is empty where the image is still a digit: there is nothing to catch.
    """
    thing = "merge" if other >= STILL_A_DIGIT else "image" if other else "digit"
    count = f"{share:.0%} of real digits have" if share >= 0.01 else "Hardly any real digit has"
    said = f"{count} more energy than this {thing}: "
    if other < STILL_A_DIGIT:
        found = "unusual" if share < 0.05 else "nothing unusual"
        return said + (f"{found}: it is still a digit." if other else f"{found}."), ""
    if share < 0.05:
        return said + "the model notices.", "caught"
    if share < 0.25:
        return said + "suspicious.", "doubt"
    return said + "it passes for a digit.", "pass"


def histogram(real: Floats, merged: Floats) -> Histogram:
    """Counts of both in the same bins; the rarest 1% at the top share the last bin."""
    both = np.concatenate([real, merged])
    low, high = float(both.min()), float(np.percentile(both, 99))
    high = high if high > low else low + 1.0
    edges = np.linspace(low, high, BINS + 1)
    counts = [np.histogram(v.clip(low, high), edges)[0].tolist() for v in (real, merged)]
    return Histogram(round(low, 4), round(high, 4), counts[0], counts[1])


def curve(info: Info, how: str, kind: str) -> Curve:
    """One model's ROC curve for one way to merge."""
    real, merged = energies(info, kind), energies(info, kind, how)
    area = energy.auc(real, merged)
    return Curve(info.name, *energy.roc(real, merged), area.value, area.stderr)


def _model(info: Info) -> tuple[Reconstructs, torch.device]:
    model = loading.model(info)
    if not isinstance(model, Reconstructs):
        raise TypeError(f"{info.name} does not reconstruct images")
    return model, model.device


def to_bytes(x: Tensor) -> NDArray[np.uint8]:
    """float in [0, 1] -> uint8, same shape."""
    return (x * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()


def name(digit: Digit, letter: str, data: Dataset) -> str:
    """What stands at the slider's end: "a: 3", or "a: drawn"."""
    what = "drawn" if digit.label is None else data.classes[digit.label]
    return f"{letter}: {what}"


def summary(curves: Sequence[Curve], how: str) -> str:
    """One sentence on each model's AUC, within its error: caught, guessed, or fooled."""
    said = []
    for c in curves:
        low, high = c.auc - 2 * c.stderr, c.auc + 2 * c.stderr
        judgement = "tells most merges from digits" if low > 0.9 else "tells some of them"
        if low <= 0.55:
            judgement = (
                "can hardly tell" if high >= 0.45 else "finds merges *more* real than digits"
            )
        said.append(f"**{plain(c.name)}** {judgement} ({c.auc:.3f} ± {c.stderr:.3f})")
    return f"Merged by {how}: {'; '.join(said)}."
