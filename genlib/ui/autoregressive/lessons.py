"""The lessons of the page on PixelCNN, and the facts that the shipped models show."""

from __future__ import annotations

import numpy as np
import torch

from genlib.ui.autoregressive import pixelcnn
from genlib.ui.kit.evidence import digit, named, read
from genlib.ui.kit.lessons import Fact, Lesson

SHARE = 0.1  # of the pixels: those that cost most


def _finished(cls: int, rows: int, temperature: float = 1.0) -> pixelcnn.Bits:
    """The 16 images that the page draws with seed 0 from these rows of a digit: (16, 28, 28)."""
    start = pixelcnn.binary(digit(cls))
    return pixelcnn.grown(named("pixelcnn"), start, rows, temperature, 0).images


def _of_class(cls: int, rows: int) -> int:
    """How many of the 16 are read as the digit that they began as."""
    images = torch.from_numpy(_finished(cls, rows)).float()[:, None]
    return int((read(images) == cls).sum())


def cold_pages_stay_blank() -> Fact:
    """At temperature 0.1 no image has any ink; at 1 each has."""
    cold, warm = _finished(4, 0, 0.1), _finished(4, 0)
    inked = [int(images.any(axis=(1, 2)).sum()) for images in (cold, warm)]
    return Fact(inked == [0, 16], f"{inked[0]} of 16 have ink at 0.1, {inked[1]} at 1")


def ten_rows_leave_it_open() -> Fact:
    """Of 16 images that begin with ten rows of a 3 few become a 3, after 16 rows nearly all."""
    ten, sixteen = _of_class(3, 10), _of_class(3, 16)
    return Fact(ten < 8 and sixteen >= 14, f"{ten} of 16 after 10 rows, {sixteen} after 16")


def few_pixels_cost_most() -> Fact:
    """A tenth of the pixels of the 4 carry most of its nats; four in five are nearly certain."""
    sheet = pixelcnn.judged(named("pixelcnn"), pixelcnn.binary(digit(4)))
    logits, ink = sheet.logits[0].astype(np.float64), sheet.images[0]
    costs = np.sort((np.logaddexp(0, logits) - logits * ink).ravel())[::-1]
    top = costs[: round(SHARE * costs.size)].sum() / costs.sum()
    p = 1 / (1 + np.exp(-logits))
    certain = float(((p < 0.05) | (p > 0.95)).mean())
    holds = 0.75 < top < 0.95 and 0.75 < certain < 0.85
    return Fact(bool(holds), f"a tenth carries {top:.0%}; {certain:.0%} nearly certain")


def a_one_is_cheap() -> Fact:
    """The first test 1 costs less than half as many nats as the first 8."""
    info = named("pixelcnn")
    one, eight = (
        pixelcnn.nats(pixelcnn.judged(info, pixelcnn.binary(digit(cls)))) for cls in (1, 8)
    )
    return Fact(
        one < 0.5 * eight and 85 < eight < 87, f"a 1 costs {one:.1f} nats, an 8 {eight:.1f}"
    )


PIXELCNN = (
    Lesson(
        "cold",
        "Always the likelier pixel",
        "Near temperature 0 every pixel takes the value that is likelier. What do 16 blank pages "
        "become at 0.1?",
        ("Perfect digits", "The same digit 16 times", "They stay blank"),
        2,
        "The first pixels are almost surely paper. After a row of paper, more paper is likelier "
        "still, and so on to the end. The likeliest pixel each time doesn't make a typical image.",
        cold_pages_stay_blank,
        {"pixelcnn.temperature": "0.1"},
    ),
    Lesson(
        "ten_rows",
        "Ten rows of a 3",
        "Suppose the first ten rows of a 3 are given, and the model finishes it 16 times. How many "
        "will become a 3 again?",
        ("All 16", "About 12", "Fewer than 8"),
        2,
        "This top may still become a 2, a 7 or a 9, and the model knows it. Drag Known rows to 16: "
        "now at least 14 of the 16 become a 3.",
        ten_rows_leave_it_open,
        {"pixelcnn.rows": "10", "pixelcnn.digit.class": "3"},
        {"pixelcnn.rows": "0", "pixelcnn.digit.class": "3"},
    ),
    Lesson(
        "surprise",
        "Where are the nats?",
        "An image costs the sum of 784 pixels. How many of them carry at least three quarters of "
        "the nats of a 4?",
        ("About three quarters", "About a half", "A tenth"),
        2,
        "About four of five pixels are nearly certain: ink or paper with at least 95%. What costs "
        "is where strokes begin, turn and end: the bright pixels of the lower picture.",
        few_pixels_cost_most,
        {"pixelcnn.digit.class": "4"},
    ),
    Lesson(
        "cheap",
        "A 1 against an 8",
        "The first 8 of the test set costs about 86 nats. What does the first 1 cost?",
        ("About as much", "A little less", "Less than half"),
        2,
        "Ones are more alike than other digits, so fewer decisions are left to the pixels. Nats "
        "measure how much there is to say, not how beautiful an image is.",
        a_one_is_cheap,
        {"pixelcnn.digit.class": "1"},
        {"pixelcnn.digit.class": "8"},
    ),
)
