"""The lessons of the pages about GANs, and the facts that they show on the shipped models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from genlib.data.datasets import to_float
from genlib.evaluate import energy
from genlib.explore.coverage import Coverage, half_tones
from genlib.explore.duel import Duel
from genlib.models.capabilities import HasMargin
from genlib.ui.adversarial.gan import data
from genlib.ui.adversarial.gan.panels import COPY
from genlib.ui.adversarial.gan.steps import BATCH, WHOM
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digit, digits, named, read
from genlib.ui.kit.lessons import Fact, Lesson

SAMPLES = 100  # tiles of a grid of GAN against VAE


# ------------------------------------------------------------------------------------------- GAN


def _noise() -> torch.Tensor:
    """Noise number 0 of the page: (1, 1, 28, 28)."""
    shape = loading.dataset().shape
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))[None]


def _believed(name: str, x: torch.Tensor) -> float:
    """D's mean probability that images x (N, C, H, W) are real."""
    logits = data.score(named(name).path, "verdict", x)
    return float((1 / (1 + np.exp(-logits))).mean())


def none_is_a_copy() -> Fact:
    """No sample on the page is as near to a training image as a copy; most are quite far."""
    info = named("dcgan-28")
    shown = to_float(torch.from_numpy(data.samples(info.path, 49, 0)))
    away, typical = data.nearest(info, shown, 1).distance, data.typical_distance(info)
    nearest, median = float(away.min()), float(np.median(away))
    holds = nearest > COPY * typical and median > typical
    return Fact(holds, f"nearest {nearest:.2f}, median {median:.2f}; of test digits {typical:.2f}")


def noise_leaves_d_undecided() -> Fact:
    """dcgan-28's D gives noise about one half, and most noise images more than that."""
    said = _believed("dcgan-28", _noise())
    real = float((data.group_scores(named("dcgan-28").path, "verdict", "Noise") > 0).mean())
    return Fact(0.4 < said < 0.6 and real > 0.5, f"D = {said:.2f}; {real:.0%} of noise above 0.5")


def noise_is_fake_to_the_other() -> Fact:
    """gan-mlp's D gives the same noise image, and all others, less than 1 in 10,000."""
    said = _believed("gan-mlp", _noise())
    most = float(data.group_scores(named("gan-mlp").path, "verdict", "Noise").max())
    return Fact(said < 1e-4 and most < 0, f"D = {said:.1e}; the largest logit is {most:.1f}")


def d_loss_rises() -> Fact:
    """D's mean training loss is higher in dcgan-28's last epoch than in its first."""
    history = [row["train/loss"] for row in named("dcgan-28").history if "train/loss" in row]
    first, last = history[0], history[-1]
    holds = first < last < 2 * np.log(2) and f"{first:.1f} {last:.1f}" == "1.1 1.2"
    return Fact(bool(holds), f"{first:.2f} in epoch 1, {last:.2f} in epoch {len(history)}")


def a_frozen_d_is_fooled() -> Fact:
    """60 steps of G alone against gan-mlp's D, then 50 of D alone, as Step by step makes them."""
    info = named("gan-mlp")
    lr = float(str(info.train["lr"]))
    duel = Duel(loading.model(info), loading.dataset().train_x, lr=lr, batch=BATCH)
    before = duel.trace[-1].d_gz
    for _ in range(60):
        duel.step_once("g")
    after = duel.trace[-1].d_gz
    duel.reset()
    for _ in range(50):
        duel.step_once("d")
    other = duel.trace[-1].d_gz
    duel.close()
    holds = 0.35 < before < 0.45 and 0.65 < after < 0.8 and abs(other - before) < 0.1
    return Fact(holds, f"D(G(z)) {before:.2f}; after G alone {after:.2f}, D alone {other:.2f}")


GAN = (
    Lesson(
        "copies",
        "Does it copy?",
        "The training set holds 60,000 digits, and G's samples look like digits. How many of these "
        "49 are copies of training images?",
        ("None", "About five", "About half"),
        0,
        "G never sees a training image: all it learns comes through D. Most samples are farther "
        "from the nearest training image than a new test digit is. Click a tile and compare.",
        none_is_a_copy,
        {"gan.view": "Samples"},
    ),
    Lesson(
        "noise",
        "D sees noise",
        "D learned to tell real digits from G's. Suppose it is shown pure noise. What probability "
        "of being real will it give such an image?",
        ("Less than 1%", "About 50%", "More than 99%"),
        1,
        "By the end of the training G no longer drew noise, so D forgot, or never learned, to "
        "reject it. More than half of all noise images even get more than 50%. A discriminator "
        "can't judge images that it wasn't trained on.",
        noise_leaves_d_undecided,
        {"gan.view": "Verdict", "gan.judged.image": "Noise"},
        {"gan.view": "Verdict"},
    ),
    Lesson(
        "other_d",
        "Another D, the same noise",
        "dcgan-28's D gives noise a probability of about 50% of being real. What does gan-mlp's D "
        "say about the same image?",
        ("About the same", "Surely real", "Surely fake"),
        2,
        "It gives less than 1 in 10,000. Both played the same game, but with other layers, so away "
        "from what they were trained on they disagree completely.",
        noise_is_fake_to_the_other,
        {"gan.view": "Verdict", "gan.judged.image": "Noise", "gan.model": "gan-mlp"},
        {"gan.view": "Verdict", "gan.judged.image": "Noise"},
    ),
    Lesson(
        "losses",
        "A loss that doesn't fall",
        "In 25 epochs the samples went from blots to digits. What happened to D's loss?",
        ("It fell to nearly 0", "It fell by half", "It rose"),
        2,
        "It rose from 1.1 to 1.2 nats; at 1.39 D would know nothing. D's loss is measured against "
        "a G that learns as well, so it says little about the images.",
        d_loss_rises,
        {"gan.view": "Training"},
        {"gan.view": "Samples"},
    ),
    Lesson(
        "frozen",
        "G against a frozen D",
        "From now on only G trains, and D stays as it is. D(G(z)) is about 0.4. Where is it after "
        "60 steps?",
        ("Still at 0.4", "At about 0.7", "Below 0.1"),
        1,
        "G finds what this D likes, as class images climb a classifier's score. Press Run and "
        "look: do the images get any better? 50 steps of D alone change D(G(z)) by less than 0.1: "
        "D has learned what it can.",
        a_frozen_d_is_fooled,
        {"gan.view": "Step by step", "gan.model": "gan-mlp", "gan.duel.who": WHOM["g"]},
        {"gan.view": "Step by step", "gan.model": "gan-mlp"},
    ),
)


# ------------------------------------------------------------------------------- GAN against VAE


def _at(name: str, epoch: int) -> Path:
    """The weights of a checkpoint after an epoch."""
    return dict(named(name).snapshots)[epoch]


def _tiles(name: str, epoch: int) -> torch.Tensor:
    """The grid that the page opens with, (100, 1, 28, 28) in [0, 1]."""
    return to_float(torch.from_numpy(data.samples(_at(name, epoch), SAMPLES, 0)))


def _covered(name: str, epoch: int) -> Coverage:
    info = named(name)
    judge = data.judge_of(info)
    assert judge is not None
    return data.coverage_of(_at(name, epoch), judge, 1)


def gan_has_the_grey_of_digits() -> Fact:
    """Half of the ink is grey in real digits and in the GAN's, most of it in the VAE's."""
    real = half_tones(digits(data.N)[0])
    gan, vae = half_tones(_tiles("dcgan-28", 25)), half_tones(_tiles("vae-20", 25))
    holds = abs(gan - real) < 0.1 and 0.45 < real < 0.55 and 0.75 < vae < 0.83
    return Fact(holds, f"grey ink: real {real:.0%}, GAN {gan:.0%}, VAE {vae:.0%}")


def vae_draws_digits_at_once() -> Fact:
    """After one epoch a classifier takes many more of the VAE's tiles for digits."""
    like = {n: 1 - sum(f.unlike) / f.n for n in ("vae-20", "dcgan-28") for f in [_covered(n, 1)]}
    holds = like["vae-20"] > 0.9 and 0.6 < like["dcgan-28"] < 0.8
    return Fact(holds, ", ".join(f"{name} {share:.0%}" for name, share in like.items()))


def gan_tiles_change_their_digit() -> Fact:
    """From epoch 10 to 25 about 4 in 10 of the GAN's tiles change digit, few of the VAE's."""
    changed = {
        name: float((read(_tiles(name, 10)) != read(_tiles(name, 25))).float().mean())
        for name in ("vae-20", "dcgan-28")
    }
    holds = changed["vae-20"] < 0.2 and 0.3 < changed["dcgan-28"] < 0.5
    return Fact(holds, ", ".join(f"{name} {share:.0%}" for name, share in changed.items()))


def vae_samples_are_alike() -> Fact:
    """Samples of the VAE differ about two thirds as much as digits, the GAN's at least as much."""
    found = {name: _covered(name, 25).variety for name in ("vae-20", "dcgan-28")}
    holds = 0.6 < found["vae-20"] < 0.72 and found["dcgan-28"] > 1
    return Fact(holds, ", ".join(f"{name} {share:.0%}" for name, share in found.items()))


GAN_VS_VAE = (
    Lesson(
        "first_epoch",
        "After one epoch",
        "Think of epoch 1, when both have seen the training set only once. Whose tiles will a "
        "classifier recognise as digits more often?",
        ("The GAN's", "The VAE's", "Both equally often"),
        1,
        "More than 90% of the VAE's are recognised, and about 70% of the GAN's. Each pixel tells "
        "the VAE what to do from the first step on. The GAN has to wait until its D knows "
        "something.",
        vae_draws_digits_at_once,
        {"versus.epochs": "1"},
        {"versus.epochs": "25"},
    ),
    Lesson(
        "grey",
        "How grey is the ink?",
        "Half of the ink of real digits is grey, mostly at the edges of strokes. What about "
        "generated digits after 25 epochs?",
        ("The same for both", "The VAE's ink is greyer", "The GAN's ink is greyer"),
        1,
        "About 80% of the VAE's ink is grey: its image is the mean of all that could be there. D "
        "would notice, so G's ink is as grey as that of real digits, to within 10 points.",
        gan_has_the_grey_of_digits,
        {"versus.epochs": "25"},
        {"versus.epochs": "1"},
    ),
    Lesson(
        "same_z",
        "The same z, another digit",
        "Each tile keeps its z from epoch 10 to epoch 25. In which row do more tiles become "
        "another digit?",
        ("The VAE's", "The GAN's", "As many in both"),
        1,
        "About 40 of 100 of the GAN's, fewer than 20 of the VAE's. The VAE's encoder ties each "
        "digit to a place in latent space. Nothing ties G's z to a digit.",
        gan_tiles_change_their_digit,
        {},
        {"versus.epochs": "25"},
    ),
    Lesson(
        "variety",
        "Whose digits vary more?",
        "Take the mean squared distance between two real digits as 100%. How far apart are two "
        "samples after 25 epochs?",
        ("100% in both", "VAE about 65%, GAN at least 100%", "VAE 100%, GAN about 65%"),
        1,
        "A VAE draws the mean of what z allows and leaves out what is unusual. The GAN's digits "
        "are as different as real ones: this one hasn't collapsed.",
        vae_samples_are_alike,
        {"versus.epochs": "25"},
        {"versus.epochs": "1"},
    ),
)


# ------------------------------------------------------------------------------ energy-based GAN


def _medians(epoch: int) -> dict[str, float]:
    """The median energy of each group after an epoch of ``ebgan``."""
    path = _at("ebgan", epoch)
    return {g: float(np.median(data.group_scores(path, "energy", g))) for g in data.GROUPS}


def _margin() -> float:
    model = loading.model(named("ebgan"))
    assert isinstance(model, HasMargin)
    return model.margin()


def _energies(x: torch.Tensor) -> list[float]:
    return [float(e) for e in data.score(named("ebgan").path, "energy", x)]


def samples_first() -> Fact:
    """After one epoch samples have less energy than test digits; after 25 it is the other way."""
    first, last = _medians(1), _medians(25)
    holds = first["Generated"] < 0.7 * first["Test images"]
    holds = holds and last["Generated"] > last["Test images"]
    said = ", ".join(f"{m['Generated']:.1f} against {m['Test images']:.1f}" for m in (first, last))
    return Fact(holds, f"generated against test: {said}")


def a_merge_is_above_its_parents() -> Fact:
    """Half a 3 and half a 4, of 19 and 17, have more than twice either; the median is twice m."""
    a, b = digit(3), digit(4)
    left, right, middle = _energies(torch.stack([a, b, energy.blend(a, b, 0.5)]))
    median, margin = _medians(25)["Merged"], _margin()
    holds = middle > 2 * max(left, right) and median > 2 * margin
    holds = holds and f"{left:.0f} {right:.0f} {margin:g}" == "19 17 20"
    return Fact(holds, f"{left:.1f}, {middle:.1f}, {right:.1f}; median {median:.1f}, m {margin:g}")


def noise_is_far_above_the_margin() -> Fact:
    """The noise image of the page, and the median of a thousand, are above ten margins."""
    value, median = _energies(_noise())[0], _medians(25)["Noise"]
    return Fact(
        min(value, median) > 10 * _margin(), f"{value:.0f}, median {median:.0f}, m {_margin():g}"
    )


EBGAN = (
    Lesson(
        "epoch_1",
        "A judge that likes generated images",
        "The judge learns to reconstruct real digits and to fail on the generator's. Think of "
        "epoch 1: which of the two will it reconstruct better?",
        ("Real digits", "The generator's images", "Both equally"),
        1,
        "The generator learns faster: it draws what this judge can reconstruct, whatever that is. "
        "The median energy of its images is less than 70% of that of real digits. After 25 epochs "
        "the order is right.",
        samples_first,
        {"ebgan.epoch": "1"},
        {"ebgan.epoch": "25"},
    ),
    Lesson(
        "merge",
        "Half a 3 and half a 4",
        "This 3 and this 4 have energies of about 19 and 17, below the margin of 20. Suppose we "
        "add half of each: the result is paler than both. Where will its energy be?",
        ("Between the two", "Below both", "More than twice as high"),
        2,
        "The judge can only draw digits, so much of the merge is missing from its reconstruction. "
        "Most merges have more than twice the margin, though the judge never saw one.",
        a_merge_is_above_its_parents,
        {"ebgan.image.image": "Merged", "ebgan.image.alpha": "0.5"},
        {"ebgan.image.image": "Merged", "ebgan.image.alpha": "0"},
    ),
    Lesson(
        "noise",
        "Noise against the margin",
        "The generator's images are pushed up to the margin of 20 and no further. Noise was never "
        "pushed. Where will its energy be?",
        ("Below the margin", "Just at the margin", "Above ten times the margin"),
        2,
        "The judge can't copy noise through its 32 numbers, so its energy is high although it was "
        "never trained to be. An autoencoder's error is already an energy.",
        noise_is_far_above_the_margin,
        {"ebgan.image.image": "Noise"},
    ),
)
