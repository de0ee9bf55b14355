"""The lessons of One digit, every model, and the facts that the shipped models show.

Facts rank among the page's 500 real digits, chosen for each model by itself.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from genlib.explore import dossier
from genlib.explore.changes import CHANGES
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digit, digits, named, probabilities
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.side_by_side.one_digit.data import CHUNK, N_REAL
from genlib.ui.side_by_side.one_digit.view import ALARM


def _changed(name: str, amount: float, other: Tensor | None = None) -> Tensor:
    """The 4 that the page opens with, changed: (1, 28, 28)."""
    x = digit(4, 3)
    return CHANGES[name].apply(x[None], amount, x if other is None else other)[0]


@lru_cache(maxsize=64)
def _real(name: str) -> dossier.Floats:
    """A model's first reading of 500 real digits."""
    model = loading.model(named(name))
    first = dossier.readings_of(model)[0].name
    parts = [dossier.measure(model, part)[first] for part in digits(N_REAL)[0].split(CHUNK)]
    return torch.cat([torch.from_numpy(part) for part in parts]).numpy()


def _strange(name: str, x: Tensor) -> float:
    """The share of real digits that are less strange to a model than x (1, 28, 28)."""
    model = loading.model(named(name))
    first = dossier.readings_of(model)[0]
    value = float(dossier.measure(model, x[None])[first.name][0])
    return dossier.strangeness(value, _real(name), first)


def _said(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in found.items())


def grey_is_a_blank_page() -> Fact:
    """Half inverted, the image is one grey: blank paper to PixelCNN and the RBM."""
    x = _changed("invert", 0.5)
    flat = float(x.max() - x.min()) < 1e-6
    found = {name: _strange(name, x) for name in ("pixelcnn", "rbm-500", "vae-20", "pca-50")}
    calm, alarmed = max(found["pixelcnn"], found["rbm-500"]), min(found["vae-20"], found["pca-50"])
    return Fact(flat and calm < 0.02 and alarmed >= ALARM, _said(found))


def a_lying_four_is_another_digit() -> Fact:
    """Turned by 90°, the classifier is more than 90 % sure of another digit."""
    p = probabilities(_changed("turn", 90)[None])[0]
    return Fact(float(p.max()) > 0.9 and int(p.argmax()) != 4, f"{int(p.argmax())}: {p.max():.0%}")


def gaussians_like_the_merge() -> Fact:
    """Half a 4 and half an 8 is less strange to Gaussians than most digits; others notice."""
    x = _changed("merge", 0.5, digit(8))
    found = {name: _strange(name, x) for name in ("pca-50", "mixture-50", "dae-500", "vae-20")}
    holds = max(found["pca-50"], found["mixture-50"]) < 0.3
    return Fact(holds and min(found["dae-500"], found["vae-20"]) >= ALARM, _said(found))


def inverted_only_copies_stay_calm() -> Fact:
    """Inverted, the 4 alarms densities and VAEs, not ae-30 and ae-500; it is read as an 8."""
    x = _changed("invert", 1)
    alarmed = ("pca-50", "mixture-50", "vae-2", "vae-20", "conv-vae-20", "ae-slides-2d")
    found = {name: _strange(name, x) for name in (*alarmed, "ae-30", "ae-500")}
    p = probabilities(x[None])[0]
    holds = min(found[name] for name in alarmed) >= ALARM
    holds = holds and max(found["ae-30"], found["ae-500"]) < ALARM
    return Fact(holds and float(p[8]) > 0.9, f"{_said(found)}; read as 8 with {p[8]:.0%}")


ONE_DIGIT = (
    Lesson(
        "lying",
        "A 4 on its side",
        "You see at once that this is a 4 on its side. What does the classifier say?",
        ("4, but it isn't sure", "Another digit, with over 90 %", "All digits alike"),
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
        ("Stranger than any digit", "As strange as a usual digit", "Less strange than any digit"),
        2,
        "PixelCNN and the RBM know black and white only, and this grey is rounded to paper. A "
        "blank page is likelier than any digit, as nearly every pixel is likely to be paper. "
        "vae-20 and pca-50 see the grey and notice.",
        grey_is_a_blank_page,
        {"one_digit.change": "Invert", "one_digit.invert": "0.5"},
        {"one_digit.change": "Invert", "one_digit.invert": "0"},
    ),
    Lesson(
        "merge",
        "Half a 4 and half an 8",
        "Many models notice this merge. What do the Gaussians say: PCA and the mixture, which know "
        "an exact density?",
        ("Stranger than 95 % of digits", "Less strange than most digits"),
        1,
        "The mean of two digits lies closer to the mean of all digits than either of them, and "
        "that is where a Gaussian is high. An exact density isn't a good judge by that alone: "
        "dae-500 and vae-20 notice.",
        gaussians_like_the_merge,
        {"one_digit.change": "Merge", "one_digit.merge": "0.5", "one_digit.with": "8"},
        {"one_digit.change": "Merge", "one_digit.merge": "0", "one_digit.with": "8"},
    ),
    Lesson(
        "inverted",
        "Black on white",
        "Inverted, you read the 4 without effort. Which models find nothing strange?",
        ("The densities", "The VAEs", "ae-30 and ae-500"),
        2,
        "Densities and VAEs find it stranger than 95 % of digits. Plain autoencoders copy black on "
        "white as well as anything, all but ae-slides-2d, which only saw 1, 5 and 6. The "
        "classifier is over 90 % sure of an 8.",
        inverted_only_copies_stay_calm,
        {"one_digit.change": "Invert", "one_digit.invert": "1"},
        {"one_digit.change": "Invert", "one_digit.invert": "0"},
    ),
)
