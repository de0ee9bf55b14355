"""The lessons of the Few labels page, and the facts that they show on the shipped models."""

from __future__ import annotations

from genlib.explore import few_labels
from genlib.explore.few_labels import CLASSIFIERS, Labels
from genlib.store.checkpoint import Info
from genlib.ui.foundations.few_labels import data, state
from genlib.ui.foundations.few_labels.data import FEATURES
from genlib.ui.kit import loading
from genlib.ui.kit.lessons import Fact, Lesson

# One digit of each class: the medoid of the class's latents among the digits on the map.
MIDDLES = "4542.0-3815.1-5417.2-4097.3-5200.4-1967.5-8831.6-5540.7-7963.8-2443.9"
LIE = MIDDLES.replace("5200.4", "5200.9")
# One digit of each class, drawn at random.
RANDOM = "8681.0-6502.1-4965.2-2594.3-2872.4-356.5-517.6-80.7-1882.8-8044.9"


def _info() -> Info:
    """The model that the page opens with."""
    return next(one for one in loading.checkpoints("Encodes") if one.name == "vae-20")


def _labels(text: str) -> Labels:
    some = data.task(_info())
    return state.labels(state.parse(text, some), some)


def accuracy(labels: Labels, features: str = "Latents", with_: str = "Label spreading") -> float:
    """Test accuracy on the page's other digits, in [0, 1]."""
    found = CLASSIFIERS[with_](FEATURES[features](_info()), labels)
    return few_labels.accuracy(found.test, data.task(_info()).test_y).value


def middles_beat_random() -> Fact:
    """A label in the middle of each class: 86 to 90 %; the random ten of the question: below 75."""
    well, random = accuracy(_labels(MIDDLES)), accuracy(_labels(RANDOM))
    return Fact(0.86 < well < 0.9 and random < 0.75, f"middles {well:.1%}, random {random:.1%}")


def spreading_uses_the_rest() -> Fact:
    """The same ten labels: logistic regression, which sees nothing else, stays at two thirds."""
    alone = accuracy(_labels(MIDDLES), with_="Logistic regression")
    both = accuracy(_labels(MIDDLES))
    return Fact(0.62 < alone < 0.72 and both > 0.86, f"alone {alone:.1%}, spreading {both:.1%}")


def codes_beat_pixels() -> Fact:
    """Spreading over latents is at least 4 points better than over pixels, PCA in between."""
    z, axes, pixels = (accuracy(_labels(MIDDLES), kind) for kind in ("Latents", "PCA", "Pixels"))
    said = f"latents {z:.1%}, PCA {axes:.1%}, pixels {pixels:.1%}"
    return Fact(z - pixels > 0.04 and pixels < axes < z, said)


def one_lie_costs_a_class() -> Fact:
    """Calling the middle 4 a 9 loses most 4s: 6 to 12 points."""
    labels = _labels(LIE)
    lost = accuracy(_labels(MIDDLES)) - accuracy(labels)
    some = data.task(_info())
    found = few_labels.spread(data.latents(_info()), labels).test.argmax(1)
    nines = float((found[some.test_y == 4] == 9).mean())
    return Fact(0.06 < lost < 0.12 and nines > 0.6, f"{lost:.1%} lost, {nines:.0%} of 4s are 9s")


FEW_LABELS = (
    Lesson(
        "ten_labels",
        "Ten labels",
        "Ten digits are labelled, one of each class, at random. Now take the digit in the middle "
        "of each cluster instead. How many of the other digits come out right?",
        ("About half", "About seven in ten", "Nearly nine in ten"),
        2,
        "Nearly nine in ten: the model has already put equal digits near each other, and a label "
        "in the middle of a cluster names all of it. The random ten stayed below 75 %, since some "
        "sit at an edge.",
        middles_beat_random,
        {"few.labels": MIDDLES},
        {"few.labels": RANDOM},
    ),
    Lesson(
        "unlabelled",
        "What digits without a label are good for",
        "The same ten labels for logistic regression, which ignores all digits without a label. "
        "What remains of nearly nine in ten?",
        ("All of it", "About two thirds", "About a tenth"),
        1,
        "About two thirds. Ten digits alone don't say how far a class reaches. Label spreading "
        "follows the crowd of digits without a label from one to the next: they show the shape of "
        "each class, and the labels only name it.",
        spreading_uses_the_rest,
        {"few.labels": MIDDLES, "few.classifier": "Logistic regression"},
        {"few.labels": MIDDLES},
    ),
    Lesson(
        "pixels",
        "Codes or pixels",
        "Label spreading again, but digits count as near when their pixels are. Better or worse "
        "than with the model’s codes?",
        ("Better: pixels hold everything", "The same", "Worse"),
        2,
        "Worse, by at least four points. A digit that is shifted or slanted has other pixels but "
        "nearly the same code. Principal components lie in between.",
        codes_beat_pixels,
        {"few.labels": MIDDLES, "few.features": "Pixels"},
        {"few.labels": MIDDLES},
    ),
    Lesson(
        "lie",
        "One wrong label",
        "Somebody calls the 4 in the middle of its cluster a 9. Nine labels are still right. What "
        "does that cost?",
        ("Nothing: nine outvote one", "Most 4s become 9s", "Everything falls apart"),
        1,
        "With ten labels each one speaks for a whole cluster, so most 4s become 9s and 6 to 12 "
        "points are gone. Few labels have to be right: correct it, and the cluster turns back.",
        one_lie_costs_a_class,
        {"few.labels": LIE},
        {"few.labels": MIDDLES},
    ),
)
