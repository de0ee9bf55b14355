"""The lessons of PCA and mixtures, and the facts that digits and the shipped models show."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor

from genlib.explore.pca import principal_angles
from genlib.models.capabilities import HasComponents
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digit, digits, named, read
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.side_by_side.pca import data as pca_data

READ = 1000  # test digits that the classifier reads
MEMBERS = 2000  # test digits that the mixture sorts
MIXED, PURE = 40, 24  # components of mixture-50


@torch.no_grad()
def _kept(x: Tensor, axes: int) -> Tensor:
    """Digits x (N, 1, 28, 28) in so few axes, in [0, 1]."""
    model = pca_data.exact_pca(loading.dataset().name, axes)
    return torch.cat([model.reconstruct(part) for part in x.split(500)]).clamp(0, 1)


def twenty_axes_can_be_read() -> Fact:
    """With 20 axes the 5 is read as a 5, and nine digits in ten right; with 2 a quarter."""
    x, y = digits(READ)
    right = {d: float((read(_kept(x, d)) == y).float().mean()) for d in (2, 20)}
    shown = {d: int(read(_kept(digit(5)[None], d))[0]) for d in (2, 20)}
    holds = shown[20] == 5 != shown[2] and 0.85 < right[20] < 0.94 and 0.2 < right[2] < 0.33
    return Fact(holds, f"{right[20]:.0%} right with 20 axes, {right[2]:.0%} with 2; the 5: {shown}")


def thirty_axes_hold_most() -> Fact:
    """The first 30 of 784 axes hold nearly three quarters of the variance, the first a tenth."""
    explained = pca_data.components(loading.dataset().name).explained
    holds = 0.7 < explained[29] < 0.76 and 0.08 < explained[0] < 0.12
    return Fact(bool(holds), f"{explained[29]:.1%} in 30 axes, {explained[0]:.1%} in the first")


def ae_30_is_nearly_pca() -> Fact:
    """Half of the angles between ae-30's decoder and 30 axes are below 25°, one near 90°."""
    matrix = pca_data.decoder_matrix(named("ae-30"))
    axes = pca_data.components(loading.dataset().name).axes[: matrix.shape[1]]
    angles = principal_angles(matrix, axes.T)
    half, largest = float(np.median(angles)), float(angles[-1])
    return Fact(half < 25 and largest > 80, f"half below {half:.0f}°, the largest {largest:.0f}°")


@torch.no_grad()
def _purity(component: int) -> tuple[float, int]:
    """Of the test digits that belong to a component, the share and the name of the main class."""
    model = cast(HasComponents, loading.model(named("mixture-50")))
    x, y = digits(MEMBERS)
    chosen = torch.cat([model.responsibilities(part).argmax(1) for part in x.split(500)])
    counts = y[chosen == component].bincount(minlength=10)
    return float(counts.max() / counts.sum()), int(counts.argmax())


def components_take_kinds_of_digits() -> Fact:
    """Component 24 takes 1s; less than a third of the digits of 40 are of one class."""
    (pure, cls), (mixed, _) = _purity(PURE), _purity(MIXED)
    holds = cls == 1 and pure > 0.97 and mixed < 1 / 3
    return Fact(holds, f"{PURE}: {pure:.0%} are {cls}s; {MIXED}: {mixed:.0%} are of one class")


PCA = (
    Lesson(
        "twenty",
        "How many numbers make a 5?",
        "A digit is 784 pixels. How many axes are enough for a classifier to read this 5?",
        ("2", "20", "200"),
        1,
        "With 2 axes it reads another digit. With 20 it reads the 5, and about nine of ten test "
        "digits. With 2 axes it reads about one in four.",
        twenty_axes_can_be_read,
        {"pca.axes": "20"},
        {"pca.axes": "2"},
    ),
    Lesson(
        "variance",
        "30 of 784 axes",
        "The first axis holds about a tenth of the variance of all digits. How much do the first "
        "30 hold?",
        ("About 4 %, as 30 is of 784", "About 30 %", "Nearly 75 %"),
        2,
        "Pixels go together, so a few directions say most. What is lost in the other 754 is what "
        "makes strokes sharp.",
        thirty_axes_hold_most,
        {"pca.axes": "30"},
        {"pca.axes": "1"},
    ),
    Lesson(
        "tanh",
        "An autoencoder finds PCA",
        "ae-30 has tanh units and was never told about principal axes. How close does its decoder "
        "come to the first 30 of them?",
        ("Unrelated: angles near 90°", "Mostly close: half below 25°", "The same: all near 0°"),
        1,
        "Half of the angles are below 25°, so most of its subspace is PCA's. The largest is near "
        "90°: the last axes hold so little variance that the training hardly sees them.",
        ae_30_is_nearly_pca,
        {"pca.view": "linear", "pca.trained": "ae-30"},
    ),
    Lesson(
        "kinds",
        "What does a Gaussian take?",
        "The 50 Gaussians were never told about classes. Component 24 takes only 1s. Does each "
        "component take one kind of digit?",
        ("Yes, every one", "No, some take a mixture"),
        1,
        "Less than a third of the digits of component 40 are of one class. Look at its members: "
        "what they share is where their ink lies, not what they mean.",
        components_take_kinds_of_digits,
        {"pca.view": "mixture", "pca.component": "40"},
        {"pca.view": "mixture", "pca.component": "24"},
    ),
)
