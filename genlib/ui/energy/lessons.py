"""The lessons of the pages about energy, and the facts that they show on the shipped models."""

from __future__ import annotations

import torch

from genlib.models.denoising import CORRUPTIONS
from genlib.ui.energy import denoise
from genlib.ui.kit import loading
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


def inpainting_leads_at_little_damage() -> Fact:
    """At strength 0.05 both kinds of inpainting come closer than the denoising autoencoder."""
    found = _errors("dropout", 0.05)
    best = min(found["Telea"], found["Navier–Stokes"])
    return Fact(best < found["dae-500"], f"inpainting {best:.4f}, dae-500 {found['dae-500']:.4f}")


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
        "One pixel in twenty is missing. Who comes closer to the clean digit?",
        ("The denoising autoencoder", "Inpainting from the neighbours", "Both equally"),
        1,
        "When nearly all neighbours are good, filling a hole from its rim is hard to beat. The "
        "autoencoder draws the whole digit again, and blurs what was fine. Drag the strength up: "
        "averaged over all digits the curves below cross near 0.3.",
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
        "This autoencoder was trained on single missing pixels. Now a whole block is black. "
        "What does it draw there?",
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
        "ae-30 only ever copied clean digits through 30 numbers. Half of the pixels are missing. "
        "Does it help?",
        ("No, it copies the noise", "Yes, most of the error goes", "It makes things worse"),
        1,
        "30 numbers have no room for noise, so more than half of the error goes. At strength 0.05 "
        "it makes things worse: it blurs what was fine.",
        bottleneck_removes_noise,
        {"denoise.strength": "0.5", "denoise.beside": "ae-30"},
        {"denoise.strength": "0.05", "denoise.beside": "ae-30"},
    ),
)
