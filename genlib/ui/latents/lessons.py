"""The lessons of the pages about latents, and the facts behind them on the shipped models."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.explore import kernels as layer
from genlib.explore.maps import PERPLEXITY, POINTS, SEED
from genlib.models.capabilities import Reconstructs
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digit, digits, named, probabilities, read
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.latents import reconstructions
from genlib.ui.latents.latent_map import data as map_data
from genlib.ui.latents.latent_map import panels
from genlib.ui.latents.latent_space import data as space_data
from genlib.ui.latents.latent_space.panels import SAMPLES

DEAD = "beta-vae-20"
WAY = ((3, 0), (8, 1))  # Between two digits opens with these: class, and which of them
FAILS = ((1, 2), (6, 1))


def _space(name: str) -> space_data.Space:
    return space_data.space(named(name))


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
    z = space_data.density(found, density).sample(SAMPLES, np.random.default_rng(0))
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
        "In beta-vae-20 the KL term costs four times as much as in vae-20 (β = 4). The model still "
        "has 20 latents. How many of them change the image?",
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
        "The middle has a code of its own, and the decoder has learned that such codes are digits. "
        "A classifier is more than 90% sure of an 8. Press Play to see the strokes move.",
        the_middle_is_an_eight,
        {"latent_space.view": "Between two digits"},
    ),
    Lesson(
        "smear",
        "It can fail, too",
        "Suppose we go from a slanted 1 to a 6 instead. Will the middle be a digit again?",
        ("Yes, a clear digit", "No, a smear"),
        1,
        "These two digits share no strokes, and the straight line between their codes leaves the "
        "region where real digits lie. The classifier is not 90% sure of any digit.",
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


MAPPED = "vae-20"
LOST, ITS_CLASS, AMONG = 3133, 4, 9  # a test image: a 4 among the 9s


def _accuracy_by_epoch(name: str = MAPPED) -> dict[int, float]:
    """The 10-NN accuracy of the codes at each epoch that is shipped."""
    return {
        epoch: map_data.accuracy(info, POINTS).value
        for epoch, info in map_data.epochs(named(name)).items()
    }


def _accuracy_of_pixels() -> float:
    some = map_data.points(named(MAPPED), POINTS)
    return map_data.pixel_accuracy(some.name, some).value


def untrained_codes_know_something() -> Fact:
    """At epoch 0 the codes are far above chance; the first epoch brings most of the rest."""
    found = _accuracy_by_epoch()
    first, one, last = found[0], found[1], found[max(found)]
    holds = 0.6 < first < 0.8 and last > 0.93 and one - first > 0.75 * (last - first)
    return Fact(holds, f"{first:.0%} untrained, {one:.0%} after one epoch, {last:.0%} at the end")


def codes_beat_pixels() -> Fact:
    """20 numbers are better neighbours than 784 pixels; two numbers are worse."""
    codes, pixels = _accuracy_by_epoch(), _accuracy_of_pixels()
    last, two = codes[max(codes)], _accuracy_by_epoch("vae-2")
    plane = two[max(two)]
    holds = last > pixels + 0.02 and plane < pixels - 0.1
    return Fact(holds, f"vae-20 {last:.1%}, pixels {pixels:.1%}, vae-2 {plane:.1%}")


def a_four_among_nines() -> Fact:
    """Most of the codes next to this 4 are 9s."""
    info = named(MAPPED)
    some = map_data.points(info, POINTS)
    picked = some.numbers.tolist().index(LOST)
    near = panels.nearest_codes(map_data.codes(info, some), picked)
    nines = int((some.labels[near] == AMONG).sum())
    label = int(some.labels[picked])
    return Fact(
        label == ITS_CLASS and nines > len(near) / 2,
        f"test image {LOST} is a {label}; {nines} of its {len(near)} nearest codes are 9s",
    )


def aligned_but_honest() -> Fact:
    """The aligned map of epoch 0 separates classes about as well as its codes do, not better."""
    last = named(MAPPED)
    epochs = map_data.epochs(last)
    some = map_data.points(last, POINTS)
    stored = map_data.stored_map(0, epochs[0], last, some, PERPLEXITY, SEED)
    if stored is None:
        return Fact(False, "no map of epoch 0 comes with the model")
    flat = map_data.map_accuracy("lesson: epoch 0", stored.positions, some.labels).value
    codes = map_data.accuracy(epochs[0], POINTS).value
    return Fact(abs(flat - codes) < 0.05, f"codes {codes:.1%}, their map {flat:.1%}")


LATENT_MAP = (
    Lesson(
        "untrained",
        "Before any training",
        "At epoch 0 the weights are random. A vote of the 10 nearest codes guesses the class of a "
        "digit; chance is 10%. How often is it right?",
        ("About 10%", "About 70%", "About 95%"),
        1,
        "Random weights roughly preserve distances: digits that look alike get similar codes. One "
        "epoch of training, without labels, closes more than three quarters of the gap to the "
        "final accuracy.",
        untrained_codes_know_something,
        {"map.epoch": "0"},
    ),
    Lesson(
        "pixels",
        "Codes against pixels",
        "We can also look for the nearest neighbours among the 784 pixel values. vae-20 has "
        "squeezed them into 20 numbers. Whose neighbours are better?",
        ("The pixels': nothing is lost", "The codes'", "Both the same"),
        1,
        "What the codes lose is mostly what doesn't matter for the class, such as the exact place "
        "of an edge. This has limits: with the two numbers of vae-2 the vote is more than 10 "
        "points worse than with the pixels.",
        codes_beat_pixels,
        {"map.panes": "Three epochs"},
    ),
    Lesson(
        "lost",
        "A 4 among the 9s",
        f"Test image {LOST} is a {ITS_CLASS}, and lies among the 9s. What are its neighbours?",
        ("Mostly 4s", "Mostly 9s", "A mix of everything"),
        1,
        "Most of its 8 nearest codes are 9s. The rays show where they are. Look at the digit: "
        "would you have known?",
        a_four_among_nines,
        {"map.pick": str(LOST)},
    ),
    Lesson(
        "aligned",
        "Tidy from the start?",
        "Maps of earlier epochs start from the map of the last one, so that points move rather "
        "than jump. Does that make epoch 0 look better than it is?",
        ("Yes, its classes look well separated", "No, the map is about as mixed as the codes"),
        1,
        "On the map the vote is right as often as among the codes, within 5 points. Only the "
        "*places* of the classes come from the last epoch: an independent map would have them "
        "elsewhere.",
        aligned_but_honest,
        {"map.panes": "Three epochs"},
    ),
)


ALL = 10_000  # test digits: the first 2,000 are harder than the others


@torch.no_grad()
def _read(name: str, x: Tensor) -> Tensor:
    """The class that is read in each reconstruction of x (N, 1, 28, 28) by a model: (N,)."""
    model = loading.model(named(name))
    assert isinstance(model, Reconstructs)
    return read(torch.cat([model.reconstruct(part) for part in x.split(500)]))


def two_numbers_keep_seven_digits_in_ten() -> Fact:
    """vae-2 keeps the class of about seven digits in ten; vae-20 of more than nine in ten."""
    x, y = digits(ALL)
    two, twenty = (float((_read(n, x) == y).float().mean()) for n in ("vae-2", "vae-20"))
    return Fact(0.68 < two < 0.72 and twenty > 0.9, f"vae-2 keeps {two:.0%}, vae-20 {twenty:.0%}")


def only_what_it_has_seen() -> Fact:
    """Whatever goes into ae-slides-2d, nearly always a 1, a 5 or a 6 comes out."""
    found = _read("ae-slides-2d", digits(ALL)[0])
    share = float(torch.isin(found, torch.tensor([1, 5, 6])).float().mean())
    return Fact(share > 0.95, f"{share:.1%} of {ALL:,} outputs are read as 1, 5 or 6")


def copying_is_another_task() -> Fact:
    """On clean digits the error of dae-500 is more than four times that of ae-500."""
    plain, denoising = (reconstructions.test_error(named(n))[0] for n in ("ae-500", "dae-500"))
    return Fact(denoising > 4 * plain, f"ae-500 {plain:.5f}, dae-500 {denoising:.5f}")


def noise_calms_the_border() -> Fact:
    """Border noise: less than half as much in dae-500 as in ae-500, most of all in ae-30."""
    names = ("ae-30", "ae-500", "dae-500")
    found = [reconstructions.measured(named(n)).kernels.border_noise for n in names]
    holds = found[0] > found[1] > 2 * found[2]
    said = ", ".join(f"{n} {value:.2f}" for n, value in zip(names, found, strict=True))
    return Fact(bool(holds), said)


def noisy_kernels_are_active() -> Fact:
    """In ae-500 three kernels in four look like noise, but only one unit in four is silent."""
    found = reconstructions.measured(named("ae-500")).kernels
    share = {
        name: float(layer.dead(found, name, rule.threshold).float().mean())
        for name, rule in layer.CRITERIA.items()
    }
    holds = 0.7 < share["noise"] < 0.8 and 0.2 < share["silent"] < 0.3
    return Fact(holds, f"{share['noise']:.0%} look like noise, {share['silent']:.0%} are silent")


RECONSTRUCTIONS = (
    Lesson(
        "two_numbers",
        "A digit in two numbers",
        "vae-2 draws each digit again from two numbers. How often does it draw the digit that went "
        "in?",
        ("Nearly always", "About seven times in ten", "About one time in ten"),
        1,
        "It always draws a digit, but two numbers are too few to say which one: our classifier "
        "reads the right digit in about seven of ten outputs. With the 20 numbers of vae-20 it "
        "does so in more than nine of ten.",
        two_numbers_keep_seven_digits_in_ten,
        {"reconstructions.models": "vae-2"},
        {"reconstructions.models": "vae-20"},
    ),
    Lesson(
        "never_seen",
        "A digit it has never seen",
        "ae-slides-2d was trained on the digits 1, 5 and 6 only. What does it make of the others?",
        ("The digit itself", "A grey blur", "A 1, a 5 or a 6"),
        2,
        "A decoder can only draw what it has learned to draw. Whatever goes in, our classifier "
        "reads a 1, a 5 or a 6 in more than 95% of the outputs.",
        only_what_it_has_seen,
        {"reconstructions.models": "ae-slides-2d"},
        {"reconstructions.models": "ae-500"},
    ),
    Lesson(
        "clean",
        "Harder training, worse copies?",
        "dae-500 has the layers of ae-500, but learned to repair digits with half of their pixels "
        "missing. Which of the two copies clean digits better?",
        ("dae-500", "ae-500", "Both equally"),
        1,
        "ae-500 was trained to copy and does nothing else: its error is less than a quarter of "
        "dae-500's. A small error on clean digits doesn't mean that a model knows more about them.",
        copying_is_another_task,
        {"reconstructions.show": "Reconstructions"},
        {"reconstructions.models": "ae-500"},
    ),
    Lesson(
        "border",
        "Noise around the kernels",
        "Pixels at the border are black in nearly every digit, so their weights hardly matter. "
        "Whose kernels are calm there?",
        ("Those of ae-30", "Those of ae-500", "Those of dae-500"),
        2,
        "Plain autoencoders keep the random weights they began with. Dropout noise makes the "
        "border vary, so the denoising autoencoder must unlearn these weights: its border noise is "
        "less than half of ae-500's, and ae-30 has the most.",
        noise_calms_the_border,
        {"reconstructions.show": "Kernels"},
    ),
    Lesson(
        "noisy",
        "Kernels that look like noise",
        "About three of four kernels of ae-500 look like noise. Are their units dead?",
        ("Yes, nearly all", "No, most of them are active"),
        1,
        "Only about one unit in four is silent on the test digits. A net with 500 numbers can copy "
        "pixels, and for that it needs no strokes.",
        noisy_kernels_are_active,
        {"reconstructions.show": "Kernels", "reconstructions.kernels": "ae-500"},
        {"reconstructions.show": "Kernels"},
    ),
)
