"""The lessons of the pages that put models side by side, and the facts behind them.

Facts of One digit, every model rank among the page's 500 real digits; those of the likelihood bench
are in the headers of the shipped checkpoints.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
import torch
from torch import Tensor

from genlib.explore import dossier
from genlib.explore.changes import CHANGES
from genlib.explore.pca import principal_angles
from genlib.models.capabilities import HasComponents
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digit, digits, named, probabilities, read
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.kit.likelihoods import Row, rows_of, shown
from genlib.ui.side_by_side.map_of_models import (
    AUTOENCODER,
    PIXELCNN,
    RBM,
    RELATED,
    TREE,
    Branch,
    Node,
)
from genlib.ui.side_by_side.one_digit.data import CHUNK, real_of
from genlib.ui.side_by_side.one_digit.view import ALARM
from genlib.ui.side_by_side.pca import data as pca_data


def _changed(name: str, amount: float, other: Tensor | None = None) -> Tensor:
    """The 4 that the page opens with, changed: (1, 28, 28)."""
    x = digit(4, 3)
    return CHANGES[name].apply(x[None], amount, x if other is None else other)[0]


def _reading(name: str, x: Tensor) -> dossier.Floats:
    """A model's first reading of images x (N, 1, 28, 28): (N,)."""
    model = loading.model(named(name))
    first = dossier.readings_of(model)[0].name
    return np.concatenate([dossier.measure(model, part)[first] for part in x.split(CHUNK)])


@lru_cache(maxsize=64)
def _real(name: str) -> dossier.Floats:
    """A model's first reading of the 500 real digits behind its ranks."""
    return _reading(name, real_of(named(name)))


def _strange(name: str, x: Tensor, among: Tensor | None = None) -> float:
    """The share of real digits that are less strange to a model than x (1, 28, 28).

    among: digits (N, 1, 28, 28) other than those behind the page's ranks.
    """
    real = _real(name) if among is None else _reading(name, among)
    first = dossier.readings_of(loading.model(named(name)))[0]
    return dossier.strangeness(float(_reading(name, x[None])[0]), real, first)


def _said(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in found.items())


def grey_is_a_blank_page() -> Fact:
    """Half inverted, the image is one grey: blank paper to PixelCNN and the RBM.

    To the RBM it is likelier than every test digit, to PixelCNN than all but a few 1s: fewer than
    3% of them, and no other digit of every twentieth.
    """
    x = _changed("invert", 0.5)
    found = {name: _strange(name, x) for name in ("pixelcnn", "rbm-500", "vae-20", "pca-50")}
    holds = float(x.max() - x.min()) < 1e-6 and max(found["pixelcnn"], found["rbm-500"]) < 0.02
    holds = holds and min(found["vae-20"], found["pca-50"]) >= ALARM
    every, y = digits(10_000)
    ones = _strange("pixelcnn", x, every[y == 1])
    holds = holds and 0 < ones < 0.03 and _strange("pixelcnn", x, every[y != 1][::20]) == 0
    holds = holds and _strange("rbm-500", x, every) == 0
    return Fact(holds, f"{_said(found)}; to PixelCNN {ones:.1%} of the 1s are likelier")


def a_lying_four_is_another_digit() -> Fact:
    """Turned by 90°, the classifier is more than 90% sure of another digit."""
    p = probabilities(_changed("turn", 90)[None])[0]
    return Fact(float(p.max()) > 0.9 and int(p.argmax()) != 4, f"{int(p.argmax())}: {p.max():.0%}")


def gaussians_like_the_merge() -> Fact:
    """Half a 4 and half an 8 is less strange to Gaussians than most digits; others notice."""
    x = _changed("merge", 0.5, digit(8))
    found = {name: _strange(name, x) for name in ("pca-50", "mixture-50", "dae-500", "vae-20")}
    holds = max(found["pca-50"], found["mixture-50"]) < 0.3
    return Fact(holds and min(found["dae-500"], found["vae-20"]) >= ALARM, _said(found))


def inverted_only_copies_stay_calm() -> Fact:
    """Inverted, the 4 alarms densities and VAEs, and is read as an 8.

    More than a tenth of real digits have a larger error in ae-30 and ae-500.
    """
    x = _changed("invert", 1)
    alarmed = ("pca-50", "mixture-50", "vae-2", "vae-20", "conv-vae-20", "ae-slides-2d")
    found = {name: _strange(name, x) for name in (*alarmed, "ae-30", "ae-500")}
    p = probabilities(x[None])[0]
    holds = min(found[name] for name in alarmed) >= ALARM
    holds = holds and max(found["ae-30"], found["ae-500"]) < 0.9
    return Fact(holds and float(p[8]) > 0.9, f"{_said(found)}; read as 8 with {p[8]:.0%}")


ONE_DIGIT = (
    Lesson(
        "lying",
        "A 4 on its side",
        "Suppose this 4 lies on its side. You would still read it. What will the classifier say?",
        ("4, but it isn't sure", "Another digit, with over 90%", "All ten digits about equally"),
        1,
        "It never saw a digit on its side, and it must choose one of ten. That it is so sure says "
        "nothing about the image: softmax has no answer for \u201cnone of these\u201d.",
        a_lying_four_is_another_digit,
        {"one_digit.change": "Turn", "one_digit.turn": "90"},
    ),
    Lesson(
        "grey",
        "Nothing but grey",
        "Halfway to its negative all pixels are the same grey, and the digit is gone. What does "
        "PixelCNN say?",
        (
            "Stranger than nearly all digits",
            "As strange as a usual digit",
            "Less strange than nearly all digits",
        ),
        2,
        "PixelCNN and the RBM know black and white only, and this grey is rounded to paper. To the "
        "RBM a blank page is likelier than any test digit, to PixelCNN than all but a few 1s: "
        "nearly every pixel is likely to be paper. vae-20 and pca-50 see the grey and notice.",
        grey_is_a_blank_page,
        {"one_digit.change": "Invert", "one_digit.invert": "0.5"},
        {"one_digit.change": "Invert", "one_digit.invert": "0"},
    ),
    Lesson(
        "merge",
        "Half a 4 and half an 8",
        "Suppose we add half of this 4 and half of an 8. Many models notice the merge. What will "
        "the Gaussians say: PCA and the mixture, which have an exact density?",
        ("Stranger than 95% of digits", "Less strange than most digits"),
        1,
        "The mean of two digits lies closer to the mean of all digits than either of them, and "
        "that is where a Gaussian is high. An exact density alone doesn't make a model a good "
        "judge: dae-500 and vae-20 notice.",
        gaussians_like_the_merge,
        {"one_digit.change": "Merge", "one_digit.merge": "0.5", "one_digit.with": "8"},
        {"one_digit.change": "Merge", "one_digit.merge": "0", "one_digit.with": "8"},
    ),
    Lesson(
        "inverted",
        "Black on white",
        "Suppose this 4 is inverted. You read it without effort. Which models will not find it "
        "strange?",
        ("The densities", "The VAEs", "ae-30 and ae-500"),
        2,
        "Densities and VAEs find it stranger than 95% of digits. ae-30 and ae-500 copy black on "
        "white: more than one real digit in ten has a larger error. ae-slides-2d can't, as it only "
        "saw 1, 5 and 6. The classifier is over 90% sure of an 8.",
        inverted_only_copies_stay_calm,
        {"one_digit.change": "Invert", "one_digit.invert": "1"},
        {"one_digit.change": "Invert", "one_digit.invert": "0"},
    ),
)


def _row(name: str, metric: str) -> Row:
    """The number that the page shows of a model."""
    return next(r for r in rows_of([named(name)]) if r.metric == metric)


def samples_tighten_the_bound() -> Fact:
    """200 samples lower the bound of vae-20 by three to six nats below −ELBO."""
    elbo, iwae = (_row("vae-20", m).value for m in ("neg_elbo_binarized", "iwae_bound"))
    holds = 3 < elbo - iwae < 6 and f"{elbo:.1f}" == "98.5"
    return Fact(holds, f"−ELBO {elbo:.1f}, with 200 samples {iwae:.1f} nats")


def an_rbm_is_ahead_of_the_vae() -> Fact:
    """The estimate of rbm-500 is below the best bound of vae-20, and above PixelCNN's number."""
    rbm, vae, cnn = (
        _row(name, metric)
        for name, metric in (("rbm-500", "nll_ais"), ("vae-20", "iwae_bound"), ("pixelcnn", "nll"))
    )
    holds = cnn.value < rbm.value < vae.value and len({r.pixels for r in (rbm, vae, cnn)}) == 1
    numbers = ", ".join(f"{r.model} {r.value:.1f} ± {r.stderr:.1f}" for r in (cnn, rbm, vae))
    return Fact(holds, numbers)


def a_density_may_be_above_one() -> Fact:
    """mixture-50 and pca-50 have numbers far below zero, of grey pixels as real numbers."""
    found = [_row(name, "nll_density") for name in ("mixture-50", "pca-50")]
    holds = found[0].value < found[1].value < -500 and all(r.pixels == "density" for r in found)
    holds = holds and f"{found[0].value:.0f}" == "-552"
    return Fact(holds, ", ".join(f"{r.model} {r.value:.1f} nats" for r in found))


LIKELIHOOD = (
    Lesson(
        "samples",
        "One sample or 200",
        "−ELBO says that a digit costs vae-20 at most 98.5 nats on average. What does the bound "
        "with 200 samples of z per image say?",
        ("The same", "3 to 6 nats less", "3 to 6 nats more"),
        1,
        "Both are upper bounds of the same −log p(x), and more samples bring the bound closer. "
        "Most of the gap is what the VAE loses by its own guess of the posterior.",
        samples_tighten_the_bound,
        {"likelihood.model": "vae-20"},
        {"likelihood.model": "vae-20", "likelihood.metric": shown("neg_elbo_binarized")},
    ),
    Lesson(
        "rbm",
        "An old machine against the VAE",
        "Which comes closer to PixelCNN on black and white digits: the VAE with 20 latents, or a "
        "Boltzmann machine with 500 hidden units?",
        ("The VAE, by its best bound", "The Boltzmann machine"),
        1,
        "The RBM's estimate is lower than the VAE's best bound. The truth of the VAE may lie "
        "further left, since a bound is not the number. Both are behind PixelCNN, which is exact.",
        an_rbm_is_ahead_of_the_vae,
        {"likelihood.model": "rbm-500"},
    ),
    Lesson(
        "negative",
        "Fewer than zero nats?",
        "The bench says that a digit costs mixture-50 about −552 nats. Can a −log p(x) be below "
        "zero?",
        ("No, that is a mistake", "Yes, if p is a density"),
        1,
        "A density of 784 real numbers may be far above 1 where pixels are always black. So these "
        "nats can't be compared with those of black and white images, only with each other: pca-50 "
        "is behind mixture-50.",
        a_density_may_be_above_one,
        {"likelihood.model": "mixture-50"},
    ),
)


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
        ("About 4%, as 30 is of 784", "About 30%", "Nearly 75%"),
        2,
        "Neighbouring pixels vary together, so a few directions hold most of the variance. The "
        "other 754 hold what makes strokes sharp.",
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
        {"pca.view": "Linear autoencoder"},
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
        {"pca.view": "Mixture", "pca.component": "40"},
        {"pca.view": "Mixture", "pca.component": "24"},
    ),
)


EXACT, BOUND = "HasLikelihood", "Bounds"


def _above(node: Node, branch: Branch = TREE) -> list[str]:
    """The titles of the branches above a node, the root first; [] if it isn't below ``branch``."""
    for child in branch.below:
        if child is node:
            return [branch.title]
        if isinstance(child, Branch) and (found := _above(node, child)):
            return [branch.title, *found]
    return []


def pixelcnn_is_exact() -> Fact:
    """Only pixelcnn computes log p(x) itself, and it stands on the tractable branch."""
    names = ("pixelcnn", "vae-20", "dcgan-28", "rbm-500")
    exact = [name for name in names if EXACT in named(name).capabilities]
    above = _above(PIXELCNN)
    bounded = BOUND in named("vae-20").capabilities
    holds = exact == ["pixelcnn"] and "Tractable" in above and bounded
    return Fact(holds, f"exact: {', '.join(exact)}; {' > '.join(above)}")


def an_autoencoder_has_no_density() -> Fact:
    """ae-30 neither samples nor bounds log p, has an energy, and isn't below the first tree."""
    able = named("ae-30").capabilities
    related = any(AUTOENCODER in branch.below for branch in RELATED)
    outside = related and not _above(AUTOENCODER)
    lacks = not able & {EXACT, BOUND, "Samples", "HasDensity"}
    return Fact(outside and lacks and "HasEnergy" in able, ", ".join(sorted(able)))


def an_rbm_needs_a_chain() -> Fact:
    """Only rbm-500 draws by a Gibbs chain; the others decode z once."""
    names = ("vae-20", "dcgan-28", "rbm-500")
    chains = [name for name in names if "GibbsSamples" in named(name).capabilities]
    direct = [name for name in names if "Decodes" in named(name).capabilities]
    above = _above(RBM)
    holds = chains == ["rbm-500"] and direct == ["vae-20", "dcgan-28"] and "Markov chain" in above
    return Fact(holds, f"by a chain: {', '.join(chains)}; in one step: {', '.join(direct)}")


MAP_OF_MODELS = (
    Lesson(
        "exact",
        "Who knows the exact number?",
        "Which of these models can say exactly how probable an image is?",
        ("A VAE", "A GAN", "A PixelCNN", "An RBM"),
        2,
        "PixelCNN multiplies the probabilities of 784 pixels. A VAE has a bound, an RBM an "
        "estimate, since its log Z is unknown. A GAN only has samples.",
        pixelcnn_is_exact,
        {"map.mark": PIXELCNN.name},
    ),
    Lesson(
        "outside",
        "Who is outside the tree?",
        "Which of these models is not on the tree of densities at all?",
        ("The autoencoder", "The GAN", "PCA"),
        0,
        "An autoencoder gives neither a density nor samples. It has an energy: how badly it "
        "reconstructs an image. A GAN is on the tree because it draws samples: its p(x) is only "
        "implicit and can't be computed.",
        an_autoencoder_has_no_density,
        {"map.mark": AUTOENCODER.name},
    ),
    Lesson(
        "many_steps",
        "Whose samples take many steps?",
        "A VAE, a GAN and an RBM each draw one digit. Which of them needs many steps for it?",
        ("The VAE", "The GAN", "The RBM"),
        2,
        "VAE and GAN decode one z, once. An RBM runs a Markov chain, from pixels to hidden units "
        "and back, until the chain has forgotten where it began.",
        an_rbm_needs_a_chain,
        {"map.mark": RBM.name},
    ),
)
