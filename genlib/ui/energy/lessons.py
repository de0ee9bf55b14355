"""The lessons of the pages about energy, and the facts that they show on the shipped models."""

from __future__ import annotations

import numpy as np
import torch

from genlib.models.denoising import CORRUPTIONS
from genlib.ui.energy import denoise
from genlib.ui.energy import merged_digits as merged
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digit, named
from genlib.ui.kit.lessons import Fact, Lesson

DIGIT = 3  # the page opens on the first test digit of this class


def _errors(kind: str, strength: float, told: bool = False) -> dict[str, float]:
    """Squared error per pixel of every method on the digit and noise that Denoise opens with."""
    clean = denoise.one_of_each()[DIGIT : DIGIT + 1]
    x_bad, mask = CORRUPTIONS[kind](clean, strength, torch.Generator().manual_seed(0))
    infos = [i for i in loading.checkpoints("Reconstructs") if i.name in ("dae-500", "ae-30")]
    repaired = {name: repair(x_bad, mask) for name, repair in denoise.repairs(infos, told).items()}
    repaired[denoise.UNTOUCHED] = x_bad
    return {name: float(((x - clean) ** 2).mean()) for name, x in repaired.items()}


def _crossing(name: str) -> float:
    """The strength at which dae-500 overtakes a method in the curves that the page opens with."""
    lines = denoise.curves([named("dae-500"), named("ae-30")], "dropout", False, None)
    lead = np.array(lines[name].y) - np.array(lines["dae-500"].y)
    i = int((lead > 0).argmax())  # between this point and the one before
    return float(np.interp(0, lead[i - 1 : i + 1], denoise.STRENGTHS[i - 1 : i + 1]))


def inpainting_leads_at_little_damage() -> Fact:
    """At strength 0.05 both kinds of inpainting come closer than the denoising autoencoder.

    Over 100 digits it overtakes Telea near 0.2 and Navier–Stokes near 0.3.
    """
    found, names = _errors("dropout", 0.05), ("Telea", "Navier–Stokes")
    worse, (telea, other) = max(found[name] for name in names), map(_crossing, names)
    holds = worse < found["dae-500"] and (round(telea, 1), round(other, 1)) == (0.2, 0.3)
    return Fact(
        holds and denoise.N_MEASURED == 100,
        f"inpainting {worse:.4f}, dae-500 {found['dae-500']:.4f}; over {denoise.N_MEASURED} digits "
        f"the curves cross at {telea:.2f} and {other:.2f}",
    )


def mask_takes_the_lead() -> Fact:
    """At 0.15 inpainting leads, and no longer once the model is told the mask."""
    blind, told = _errors("dropout", 0.15), _errors("dropout", 0.15, told=True)
    holds = blind["Navier–Stokes"] < blind["dae-500"] and told["dae-500"] < min(
        told["Navier–Stokes"], told["Telea"]
    )
    return Fact(holds, f"dae-500 {blind['dae-500']:.4f} blind, {told['dae-500']:.4f} told")


def unknown_damage_stays() -> Fact:
    """A blanked block keeps at least nine tenths of its error: the model never met one."""
    found = _errors("block", 0.15)
    share = found["dae-500"] / found[denoise.UNTOUCHED]
    return Fact(share > 0.9, f"{share:.0%} of the damage is left")


def bottleneck_removes_noise() -> Fact:
    """ae-30 more than halves the error at strength 0.5, and adds to it at 0.05."""
    strong, weak = _errors("dropout", 0.5), _errors("dropout", 0.05)
    kept = strong["ae-30"] / strong[denoise.UNTOUCHED]
    added = weak["ae-30"] / weak[denoise.UNTOUCHED]
    return Fact(kept < 0.5 and added > 1, f"{kept:.0%} left at 0.5, {added:.0%} at 0.05")


DENOISE = (
    Lesson(
        "little_damage",
        "A few pixels are gone",
        "Suppose only one pixel in twenty is missing. Who will come closer to the clean digit?",
        ("The denoising autoencoder", "Inpainting from the neighbours", "Both equally"),
        1,
        "When nearly all neighbours are good, filling a hole from its rim is hard to beat. The "
        "autoencoder draws the whole digit again, and blurs what was fine. Drag the strength up: "
        "averaged over 100 digits, its curve below crosses Telea's near 0.2 and that of "
        "Navier–Stokes near 0.3.",
        inpainting_leads_at_little_damage,
        {"denoise.strength": "0.05"},
    ),
    Lesson(
        "told",
        "Tell the model where the holes are",
        "Inpainting leads at strength 0.15, but it knows which pixels are missing. What if the "
        "autoencoder may keep the good pixels too?",
        ("Inpainting still leads", "The autoencoder leads"),
        1,
        "Now both know the same, and the model that has seen digits wins: inpainting's lead was "
        "only the mask.",
        mask_takes_the_lead,
        {"denoise.strength": "0.15", "denoise.told": "true"},
        {"denoise.strength": "0.15"},
    ),
    Lesson(
        "block",
        "Damage it never met",
        "This autoencoder was trained on single missing pixels. Suppose a whole block is black. "
        "What will it draw there?",
        ("The missing stroke", "A blurred stroke", "Nothing: the hole stays"),
        2,
        "It trusts a black block as it trusts the black background, so more than nine tenths of "
        "the error stay. A denoising autoencoder learns to undo the damage it was shown.",
        unknown_damage_stays,
        {"denoise.kind": "Blanked block", "denoise.strength": "0.15"},
    ),
    Lesson(
        "bottleneck",
        "Never trained to denoise",
        "ae-30 only ever copied clean digits through 30 numbers. Suppose half of the pixels are "
        "missing. Will it help?",
        ("No, it copies the noise", "Yes, most of the error goes", "It makes things worse"),
        1,
        "30 numbers have no room for noise, so more than half of the error goes. At strength 0.05 "
        "it makes things worse: it blurs what was fine.",
        bottleneck_removes_noise,
        {"denoise.strength": "0.5", "denoise.beside": "ae-30"},
        {"denoise.strength": "0.05", "denoise.beside": "ae-30"},
    ),
)

SQUARED, INVARIANT = "squared error", "1 - correlation"


def _area(name: str, how: str, kind: str = SQUARED) -> float:
    """The AUC of a model over 2,000 digits and as many merges, as the page shows it."""
    return merged.curve(named(name), how, kind).auc


def only_one_notices() -> Fact:
    """Of the pair that the page opens with, half and half: dae-500 notices, ae-30 doesn't."""
    pair = digit(3, 1), digit(8)
    cards = {n: merged.card(named(n), *pair, "alpha", SQUARED) for n in ("dae-500", "ae-30")}
    middle = {name: card.mood[len(card.mood) // 2] for name, card in cards.items()}
    energy = cards["dae-500"].energy
    ends, rise = max(energy[0], energy[-1]), energy[len(energy) // 2]
    holds = middle == {"dae-500": "caught", "ae-30": "pass"} and rise > 2 * ends
    return Fact(holds, f"{middle}; dae-500 rises from {ends:.1f} to {rise:.1f}")


def paleness_hides_merges() -> Fact:
    """ae-30 guesses by squared errors, and does better but not well without the contrast."""
    squared, invariant = _area("ae-30", "alpha"), _area("ae-30", "alpha", INVARIANT)
    return Fact(
        abs(squared - 0.5) < 0.05 and 0.7 < invariant < 0.85,
        f"AUC of ae-30: {squared:.3f} by squared error, {invariant:.3f} contrast-invariant",
    )


def full_contrast_is_noticed() -> Fact:
    """The maximum of two digits is noticed by ae-30, too: on this pair and in nine of ten."""
    card = merged.card(named("ae-30"), digit(3, 1), digit(8), "max", SQUARED)
    area = _area("ae-30", "max")
    return Fact(card.mood == ["caught"] and area > 0.88, f"{card.mood[0]}, AUC {area:.3f}")


def splices_look_real() -> Fact:
    """dae-500 tells nearly every half-and-half merge, and clearly fewer splices."""
    half, spliced = _area("dae-500", "alpha"), _area("dae-500", "splice")
    return Fact(half > 0.98 and 0.77 < spliced < 0.87, f"AUC {half:.3f} and {spliced:.3f}")


MERGED_DIGITS = (
    Lesson(
        "half",
        "Half a 3 and half an 8",
        "Suppose half a 3 lies on top of half an 8. Who will notice that this isn't a digit: the "
        "denoising autoencoder dae-500, or ae-30 with its 30 units?",
        ("Both", "Only dae-500", "Only ae-30", "Neither"),
        1,
        "dae-500 has learned to pull images towards digits, so it changes the merge and its energy "
        "more than doubles. ae-30 copies the merge as well as it copies a digit.",
        only_one_notices,
        {"merged.alpha": "0.5"},
        {"merged.alpha": "0"},
    ),
    Lesson(
        "pale",
        "Is it only pale?",
        "A half-and-half merge is paler than any digit, and pale images have small squared errors. "
        "An energy that ignores contrast removes that. Will ae-30 notice merges then?",
        ("Yes, nearly all", "More of them, but far from all", "No better than before"),
        1,
        "By squared error ae-30 only guesses (AUC 0.5). Without the effect of contrast its AUC is "
        "between 0.7 and 0.85. So part of its blindness was the paleness, but not all of it.",
        paleness_hides_merges,
        {"merged.energy": "Contrast-invariant", "merged.alpha": "0.5"},
        {"merged.alpha": "0.5"},
    ),
    Lesson(
        "full_contrast",
        "Both digits at full contrast",
        "Suppose the brighter of the two pixels counts, so that both digits keep their contrast. "
        "Will ae-30 notice this merge?",
        ("Yes", "It hesitates", "No"),
        0,
        "There is more ink than 30 units can draw, and no paleness that hides the error. Over all "
        "merges of this kind the AUC of ae-30 is close to 0.9, where it only guessed before.",
        full_contrast_is_noticed,
        {"merged.how": "Max"},
        {"merged.alpha": "0.5"},
    ),
    Lesson(
        "splice",
        "Cut and glued",
        "In 99 of 100 cases dae-500 gives a half-and-half merge more energy than a digit. Suppose "
        "the top of one digit sits on the bottom of another. Will it be as good at that?",
        ("Just as good", "Clearly worse", "Even better"),
        1,
        "Every stroke of a splice is a real stroke at full contrast, and only the place where the "
        "two halves meet is odd. The AUC of dae-500 falls from 0.99 to about 0.8.",
        splices_look_real,
        {"merged.how": "Splice", "merged.alpha": "0.5"},
        {"merged.alpha": "0.5"},
    ),
)
