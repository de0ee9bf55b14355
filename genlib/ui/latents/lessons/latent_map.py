"""The lessons of Latent map, and the facts behind them, on the points that the page opens with."""

from __future__ import annotations

from genlib.explore.maps import PERPLEXITY, POINTS, SEED
from genlib.ui.kit.evidence import named
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.latents.latent_map import data, panels

MODEL = "vae-20"
LOST, ITS_CLASS, AMONG = 3133, 4, 9  # a test image: a 4 among the 9s


def _by_epoch(name: str = MODEL) -> dict[int, float]:
    """The 10-NN accuracy of the codes at each epoch that is shipped."""
    return {
        epoch: data.accuracy(info, POINTS).value for epoch, info in data.epochs(named(name)).items()
    }


def _pixels() -> float:
    some = data.points(named(MODEL), POINTS)
    return data.pixel_accuracy(some.name, some).value


def untrained_codes_know_something() -> Fact:
    """At epoch 0 the codes are far above chance; the first epoch brings most of the rest."""
    found = _by_epoch()
    first, one, last = found[0], found[1], found[max(found)]
    holds = 0.6 < first < 0.8 and last > 0.93 and one - first > 0.75 * (last - first)
    return Fact(holds, f"{first:.0%} untrained, {one:.0%} after one epoch, {last:.0%} at the end")


def codes_beat_pixels() -> Fact:
    """20 numbers are better neighbours than 784 pixels; two numbers are worse."""
    codes, pixels = _by_epoch(), _pixels()
    last, two = codes[max(codes)], _by_epoch("vae-2")
    plane = two[max(two)]
    holds = last > pixels + 0.02 and plane < pixels - 0.1
    return Fact(holds, f"vae-20 {last:.1%}, pixels {pixels:.1%}, vae-2 {plane:.1%}")


def a_four_among_nines() -> Fact:
    """Most of the codes next to this 4 are 9s."""
    info = named(MODEL)
    some = data.points(info, POINTS)
    picked = some.numbers.tolist().index(LOST)
    near = panels.nearest_codes(data.codes(info, some), picked)
    nines = int((some.labels[near] == AMONG).sum())
    label = int(some.labels[picked])
    return Fact(
        label == ITS_CLASS and nines > len(near) / 2,
        f"test image {LOST} is a {label}; {nines} of its {len(near)} nearest codes are 9s",
    )


def aligned_but_honest() -> Fact:
    """The aligned map of epoch 0 separates classes about as well as its codes do, not better."""
    last = named(MODEL)
    epochs = data.epochs(last)
    some = data.points(last, POINTS)
    stored = data.stored_map(0, epochs[0], last, some, PERPLEXITY, SEED)
    if stored is None:
        return Fact(False, "no map of epoch 0 comes with the model")
    flat = data.map_accuracy("lesson: epoch 0", stored.positions, some.labels).value
    codes = data.accuracy(epochs[0], POINTS).value
    return Fact(abs(flat - codes) < 0.05, f"codes {codes:.1%}, their map {flat:.1%}")


LATENT_MAP = (
    Lesson(
        "untrained",
        "Before any training",
        "At epoch 0 the weights are random. A vote of the 10 nearest codes guesses the class of a "
        "digit; chance is 10 %. How often is it right?",
        ("About 10 %", "About 70 %", "About 95 %"),
        1,
        "Random weights keep distances: digits that look alike get similar codes. One epoch of "
        "training, without a label, brings more than three quarters of what is left to gain.",
        untrained_codes_know_something,
        {"map.epoch": "0"},
    ),
    Lesson(
        "pixels",
        "Codes against pixels",
        "The same vote can be asked of the 784 pixels. vae-20 has squeezed them into 20 numbers. "
        "Whose neighbours are better?",
        ("The pixels': nothing is lost", "The codes'", "Both the same"),
        1,
        "What the codes lose is mostly what doesn't matter for the class, such as the exact place "
        "of an edge. It has limits: the two numbers of vae-2 are more than 10 points worse than "
        "the pixels.",
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
