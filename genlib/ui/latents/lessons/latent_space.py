"""The lessons of Latent space, and the facts behind them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digit, named, probabilities
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.latents.latent_space import data
from genlib.ui.latents.latent_space.panels import SAMPLES

DEAD = "beta-vae-20"
WAY = ((3, 0), (8, 1))  # Between two digits opens with these: class, and which of them
FAILS = ((1, 2), (6, 1))


def _space(name: str) -> data.Space:
    return data.space(named(name))


def eight_dead_latents() -> Fact:
    """Of the twenty latents of the VAE with beta 4, eight have no effect; of vae-20 none."""
    found = _space(DEAD)
    code = found.encode(digit(3))

    def change(i: int) -> float:
        """How much the image changes from end to end of a latent's range: rms of the pixels."""
        ends = np.stack([code, code])
        ends[:, i] = -3.0, 3.0
        low, high = found.decode(ends)
        return float(np.sqrt(((low - high) ** 2).mean()))

    alive = [change(i) for i in found.axes.order.tolist() if found.axes.active[i]]
    dead = [change(i) for i in found.axes.order.tolist() if not found.axes.active[i]]
    all_of_vae = int(_space("vae-20").axes.active.sum())
    holds = len(alive) == 12 and len(dead) == 8 and all_of_vae == 20
    return Fact(
        holds and max(dead) < 0.02 < 0.1 < min(alive),
        f"from -3 to 3 a latent changes pixels by {min(alive):.2f} to {max(alive):.2f}, a dead one "
        f"by at most {max(dead):.4f}; vae-20 has {all_of_vae} active",
    )


def _halfway(ends: tuple[tuple[int, int], tuple[int, int]]) -> Tensor:
    """What the classifier says of the middle between two digits in vae-20's latents: (10,)."""
    found = _space("vae-20")
    codes = np.stack([found.encode(digit(*end)) for end in ends])
    return probabilities(torch.from_numpy(found.decode(codes.mean(0, keepdims=True))))[0]


def the_middle_is_an_eight() -> Fact:
    """Halfway from this 3 to this 8, the decoded image is read as an 8."""
    said = _halfway(WAY)
    return Fact(float(said[8]) > 0.9, f"the middle is read as an 8 with {said[8]:.1%}")


def the_middle_is_a_smear() -> Fact:
    """Halfway from this 1 to this 6, the classifier is sure of nothing."""
    said = _halfway(FAILS)
    return Fact(float(said.max()) < 0.9, f"at most {said.max():.0%} for any digit")


def _like_digits(name: str, density: str) -> float:
    """The mean correlation of the page's first samples with the test digit nearest to each."""
    found = _space(name)
    z = data.density(found, density).sample(SAMPLES, np.random.default_rng(0))
    test = loading.dataset().test_x.flatten(1).float()

    def centred(x: Tensor) -> Tensor:
        return F.normalize(x - x.mean(1, keepdim=True))

    images = centred(torch.from_numpy(found.decode(z)).flatten(1))
    return float((images @ centred(test).T).max(1).values.mean())


def only_the_vae_can_sample() -> Fact:
    """Codes from N(0, I) decode to digits with vae-20, not with ae-30."""
    vae, ae = (_like_digits(name, "Standard normal") for name in ("vae-20", "ae-30"))
    mixture = _like_digits("ae-30", "Gaussian mixture")
    return Fact(
        vae > 0.7 and ae < 0.5 and mixture > 0.7,
        f"correlation with the nearest real digit: vae-20 {vae:.2f}, ae-30 {ae:.2f}, ae-30 with "
        f"the mixture {mixture:.2f}",
    )


LATENT_SPACE = (
    Lesson(
        "dead",
        "Latents that have no effect",
        "Here the KL term costs four times as much as in vae-20 (β = 4). The model still has 20 "
        "latents. How many of them change the image?",
        ("All 20", "12", "2"),
        1,
        "Each latent costs nats. Twelve are worth their price. The other eight are switched off: "
        "they follow N(0, 1) whatever the digit, and moving them changes nothing. Open “8 with "
        "almost no effect” and drag one. In vae-20 all 20 are active.",
        eight_dead_latents,
        {"latent_space.model": DEAD},
    ),
    Lesson(
        "between",
        "Halfway from a 3 to an 8",
        "In pixels, the middle of a 3 and an 8 is a double exposure. What is it in the latents of "
        "vae-20?",
        ("A double exposure too", "An 8", "Noise"),
        1,
        "The middle has a code of its own, and the decoder has learnt that such codes are digits. "
        "A classifier is more than 90 % sure of an 8. Press Play to see the strokes move.",
        the_middle_is_an_eight,
        {"latent_space.view": "Between two digits"},
    ),
    Lesson(
        "smear",
        "It can fail, too",
        "Now from a slanted 1 to a 6. Is the middle a digit again?",
        ("Yes, a clear digit", "No, a smear"),
        1,
        "These two digits share no strokes, and the straight line between their codes leaves the "
        "region where real digits lie. The classifier is not 90 % sure of any digit.",
        the_middle_is_a_smear,
        {
            "latent_space.view": "Between two digits",
            "latent_space.a.class": "1",
            "latent_space.a.nth": "2",
            "latent_space.b.class": "6",
            "latent_space.b.nth": "1",
        },
        {"latent_space.view": "Between two digits"},
    ),
    Lesson(
        "generate",
        "Codes drawn at random",
        "Draw 40 codes from the standard normal and decode them. Which model turns them into "
        "digits?",
        ("The VAE, vae-20", "The autoencoder, ae-30", "Both"),
        0,
        "Only the VAE was trained to have its codes there. Give ae-30 a density fitted to its own "
        "codes, the Gaussian mixture, and it generates digits, too.",
        only_the_vae_can_sample,
        {"latent_space.view": "Generate"},
    ),
)
