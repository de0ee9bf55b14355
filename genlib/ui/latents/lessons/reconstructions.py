"""The lessons of Reconstructions and kernels, and the facts behind them."""

from __future__ import annotations

import torch
from torch import Tensor

from genlib.explore import kernels as layer
from genlib.models.capabilities import Reconstructs
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digits, named, read
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.latents import reconstructions

READ = 2000  # test digits that the classifier reads


@torch.no_grad()
def _read(name: str, x: Tensor) -> Tensor:
    """The class that is read in each reconstruction of x (N, 1, 28, 28) by a model: (N,)."""
    model = loading.model(named(name))
    assert isinstance(model, Reconstructs)
    return read(torch.cat([model.reconstruct(part) for part in x.split(500)]))


def two_numbers_keep_two_digits_in_three() -> Fact:
    """vae-2 keeps the class of about two digits in three; vae-20 of more than nine in ten."""
    x, y = digits(READ)
    two, twenty = (float((_read(n, x) == y).float().mean()) for n in ("vae-2", "vae-20"))
    return Fact(0.6 < two < 0.72 and twenty > 0.9, f"vae-2 keeps {two:.0%}, vae-20 {twenty:.0%}")


def only_what_it_has_seen() -> Fact:
    """Whatever goes into ae-slides-2d, nearly always a 1, a 5 or a 6 comes out."""
    found = _read("ae-slides-2d", digits(READ)[0])
    share = float(torch.isin(found, torch.tensor([1, 5, 6])).float().mean())
    return Fact(share > 0.95, f"{share:.1%} of {READ:,} outputs are read as 1, 5 or 6")


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
        ("Nearly always", "About two times in three", "About one time in ten"),
        1,
        "It always draws a digit, but two numbers are too few to say which one: our classifier "
        "reads the right digit in about two of three outputs. With the 20 numbers of vae-20 it "
        "does so in more than nine of ten.",
        two_numbers_keep_two_digits_in_three,
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
        "reads a 1, a 5 or a 6 in more than 95 % of the outputs.",
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
