"""The lessons of the likelihood bench: what the shipped checkpoints' headers show."""

from __future__ import annotations

from genlib.ui.kit.evidence import named
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.kit.likelihoods import Row, rows_of


def _row(name: str, metric: str) -> Row:
    """The number that the page shows of a model."""
    return next(r for r in rows_of([named(name)]) if r.metric == metric)


def samples_tighten_the_bound() -> Fact:
    """200 samples lower the bound of vae-20 by three to six nats below −ELBO."""
    elbo, iwae = (_row("vae-20", m).value for m in ("neg_elbo_binarized", "iwae_bound"))
    holds = 3 < elbo - iwae < 6 and f"{elbo:.0f}" == "98"
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
        "−ELBO says that a digit costs vae-20 at most 98 nats. What does the bound of 200 samples "
        "of z per image say?",
        ("The same", "3 to 6 nats less", "3 to 6 nats more"),
        1,
        "Both are upper bounds of the same −log p(x), and more samples bring the bound closer. "
        "Most of the gap is what the VAE loses by its own guess of the posterior.",
        samples_tighten_the_bound,
        {"likelihood.model": "vae-20", "likelihood.metric": "iwae_bound"},
        {"likelihood.model": "vae-20", "likelihood.metric": "neg_elbo_binarized"},
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
