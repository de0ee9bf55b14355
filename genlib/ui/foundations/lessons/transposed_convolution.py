"""The lessons of the Transposed convolution page; PyTorch computes what they claim."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.ui.foundations import transposed_convolution as page
from genlib.ui.kit.lessons import Fact, Lesson

# As the page opens, where a link says nothing else; only the upper left 2 x 2 and 3 x 3 numbers.
START = {"n": "2", "k": "3", "s": "1", "p": "0", "e": "0"}
X, W = "1 2 3 4", "1 0 2 2 1 0 0 3 1"
ONES = "1 1 1 1 1 1 1 1 1"


def _read(state: Mapping[str, str], name: str) -> int:
    return int(state.get(f"tconv.{name}", START[name]))


def _cells(text: str) -> Tensor:
    values = torch.tensor([float(v) for v in text.split()])
    side = int(len(values) ** 0.5)
    return values.view(1, 1, side, side)


def output(state: Mapping[str, str], x: Tensor, w: Tensor) -> Tensor:
    """What PyTorch makes of x (1, 1, n, n) and w (1, 1, k, k) in a link's setting: (m, m)."""
    assert x.shape[-1] == _read(state, "n") and w.shape[-1] == _read(state, "k")
    s, p, e = (_read(state, name) for name in ("s", "p", "e"))
    return F.conv_transpose2d(x, w, stride=s, padding=p, output_padding=e)[0, 0]


def overlap(state: Mapping[str, str]) -> Tensor:
    """How many stamps reach each output cell: (m, m)."""
    n, k = _read(state, "n"), _read(state, "k")
    return output(state, torch.ones(1, 1, n, n), torch.ones(1, 1, k, k))


def _inner(state: Mapping[str, str]) -> Tensor:
    """The overlaps that aren't at the border, in a row."""
    k, s, p = (_read(state, name) for name in ("k", "s", "p"))
    edge = max(0, k - s - p)
    found = overlap(state)
    return found[edge : len(found) - edge, edge : len(found) - edge].flatten()


MIDDLE = {"tconv.pin": "o5"}
SIXTEEN = " ".join(["1"] * 16)
SCALES = {"tconv.view": "checkerboard", "tconv.n": "4", "tconv.s": "2", "tconv.x": SIXTEEN}
UNEVEN = {**SCALES, "tconv.k": "3", "tconv.w": ONES}
EVEN = {**SCALES, "tconv.k": "4", "tconv.w": SIXTEEN}
FIVE = {**SCALES, "tconv.k": "5"}
HALVED = {"tconv.n": "3", "tconv.k": "3", "tconv.s": "2", "tconv.p": "1"}
CHOSEN = {**HALVED, "tconv.e": "1"}
MATRIX = {"tconv.view": "matrix", "tconv.show": "C"}
GENERATOR = {"tconv.view": "layer", "tconv.model": "dcgan-28", "tconv.op": "3"}


def four_reach_the_middle() -> Fact:
    """Four stamps reach y[1, 1], one reaches the corner."""
    found = overlap(MIDDLE)
    middle, corner = int(found[1, 1]), int(found[0, 0])
    return Fact((middle, corner) == (4, 1), f"{middle} and {corner}")


def kernel_3_is_uneven() -> Fact:
    """Kernel 3 and stride 2 make 1, 2 and 4 of an input and a kernel of ones."""
    found = sorted({int(v) for v in _inner(UNEVEN)})
    return Fact(found == [1, 2, 4], f"away from the border: {found}")


def kernel_4_is_even() -> Fact:
    """At stride 2 kernel 4 overlaps evenly, four stamps each; kernels 3 and 5 don't."""
    even, *others = ({int(v) for v in _inner(state)} for state in (EVEN, UNEVEN, FIVE))
    holds = even == {4} and all(len(other) > 1 for other in others)
    return Fact(holds, f"kernel 4: {even}, kernels 3 and 5: {others}")


def two_sizes_shrink_to_one() -> Fact:
    """A convolution makes 3 x 3 of 5 x 5 and of 6 x 6; output padding chooses between them."""
    w = torch.ones(1, 1, 3, 3)
    small = {F.conv2d(torch.ones(1, 1, m, m), w, stride=2, padding=1).shape[-1] for m in (5, 6)}
    sizes = [len(overlap(HALVED)), len(overlap(CHOSEN))]
    return Fact(small == {3} and sizes == [5, 6], f"back from {small}: {sizes}")


def transposed_is_not_inverse() -> Fact:
    """The convolution of the transposed convolution's output isn't the input."""
    x, w = _cells(X), _cells(W)
    back = F.conv2d(output(MATRIX, x, w)[None, None], w)
    return Fact(
        back.shape == x.shape and float(back.flatten()[0]) == 77 and not torch.allclose(back, x),
        f"{x.flatten().tolist()} comes back as {back.flatten().tolist()}",
    )


def generator_has_none() -> Fact:
    """dcgan-28 upsamples and convolves; conv-vae-20 has two transposed convolutions, 4 over 2."""
    found = page.decoders()
    kinds = {name: [op["op"] for op in one.ops] for name, one in found.items()}
    vae = [op for op in found["conv-vae-20"].ops if op["op"] == "conv_transpose"]
    holds = (
        "conv_transpose" not in kinds["dcgan-28"]
        and kinds["dcgan-28"][3] == "upsample"
        and kinds["dcgan-28"].count("upsample") == 2
        and [(op["kernel"], op["stride"]) for op in vae] == [(4, 2), (4, 2)]
    )
    return Fact(holds, f"dcgan-28: {kinds['dcgan-28']}")


TRANSPOSED_CONVOLUTION = (
    Lesson(
        "middle",
        "Where stamps meet",
        "Four input cells stamp a 3 × 3 kernel, one cell apart. From how many of them does the "
        "output cell y[1, 1] get something?",
        ("One", "Two", "All four", "Nine"),
        2,
        "All four stamps reach it, each with another kernel cell: its sum stands above the "
        "pictures. The corner y[0, 0] gets only one. Click it to see.",
        four_reach_the_middle,
        MIDDLE,
        {"tconv.pin": "none"},
    ),
    Lesson(
        "checkerboard",
        "Ones in, and what comes out?",
        "Every input cell is 1 and every kernel cell is 1. Kernel 3, stride 2. What does the "
        "output look like, away from its border?",
        ("Flat: the same number everywhere", "Stripes", "A checkerboard of 1, 2 and 4"),
        2,
        "Stamps of width 3 lie 2 apart, so every second row and column is hit twice: 1, 2 or 4 "
        "stamps meet in a cell. That pattern is the checkerboard in early generated images. "
        "Upsampling and then convolving is even.",
        kernel_3_is_uneven,
        UNEVEN,
        {**UNEVEN, "tconv.view": "stamp", "tconv.pin": "none", "tconv.at": "0"},
    ),
    Lesson(
        "even",
        "A kernel without a checkerboard",
        "Which kernel covers the output evenly at stride 2?",
        ("Kernel 3", "Kernel 4", "Kernel 5"),
        1,
        "Four divides by two: each output cell gets exactly four stamps. conv-vae-20 uses "
        "kernel 4 with stride 2. Change the kernel to 3 or 5 and the pattern is back.",
        kernel_4_is_even,
        EVEN,
        UNEVEN,
    ),
    Lesson(
        "choice",
        "One small image, two large ones",
        "A convolution with kernel 3, stride 2 and padding 1 makes 3 × 3 of 5 × 5, but also of "
        "6 × 6. Which one does the transposed convolution give back?",
        ("5 × 5, always", "6 × 6, always", "You choose, by output padding"),
        2,
        "Without output padding it is 5 × 5. With output padding 1, as now, a row below and a "
        "column to the right are added: 6 × 6. It must be less than the stride.",
        two_sizes_shrink_to_one,
        CHOSEN,
        HALVED,
    ),
    Lesson(
        "inverse",
        "Is it the inverse?",
        "It is also called “deconvolution”. Take the output, and convolve it with the same "
        "kernel. Do the input's numbers 1, 2, 3, 4 come back?",
        ("Yes", "No, only the shape"),
        1,
        "Cᵀ is the transpose of C, not its inverse. C y is written out here: the 2 × 2 shape comes "
        "back, but its first number is 77 instead of 1. Compare the rows of C with the columns of "
        "Cᵀ: the same numbers.",
        transposed_is_not_inverse,
        MATRIX,
        {"tconv.view": "matrix", "tconv.pin": "none"},
    ),
    Lesson(
        "generator",
        "What do our models use?",
        "conv-vae-20 enlarges its maps by two transposed convolutions. What does the generator of "
        "dcgan-28 use?",
        ("The same", "Upsampling, then a convolution", "Only linear layers"),
        1,
        "It repeats every pixel and convolves, twice: the article's generator, which can't make "
        "a checkerboard. Press Play to walk from z to the image, map by map.",
        generator_has_none,
        GENERATOR,
        {"tconv.view": "layer", "tconv.op": "3"},
    ),
)
