"""The lessons of Architectures, Few labels and Transposed convolution.

Their facts are computed with the shipped models, and with PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.data.datasets import to_float
from genlib.explore import few_labels
from genlib.explore.architecture import Diagram, Part
from genlib.explore.few_labels import CLASSIFIERS, Labels
from genlib.store.checkpoint import Info
from genlib.ui.foundations import architectures, transposed_convolution
from genlib.ui.foundations.few_labels import data as labels_data
from genlib.ui.foundations.few_labels import state as labels_state
from genlib.ui.foundations.few_labels.data import FEATURES
from genlib.ui.kit import loading
from genlib.ui.kit.lessons import Fact, Lesson

DIGIT = 3  # Architectures opens with the first test digit of this class


def _diagram(name: str) -> Diagram:
    """The diagram that the page shows of a shipped model, without a link to another digit."""
    data = loading.dataset()
    image = to_float(data.test_x[int((data.test_y == DIGIT).nonzero()[0])])
    return architectures.diagram(architectures.models()[name], image)


def _part(drawn: Diagram, key: str) -> Part:
    return next(part for part in drawn.parts if part.key == key)


def convolutions_share() -> Fact:
    """The fully connected VAE has five to six times the parameters of the convolutional one."""
    full, shared = _diagram("vae-20").parameters, _diagram("conv-vae-20").parameters
    return Fact(5 < full / shared < 6, f"vae-20 {full:,}, conv-vae-20 {shared:,}")


def first_layer_is_most_of_g() -> Fact:
    """The dense layer of dcgan-28's generator holds more than nine tenths of its parameters."""
    g = _part(_diagram("dcgan-28"), "generator")
    share = g.blocks[0].parameters / g.parameters
    return Fact(
        0.9 < share < 0.95 and g.blocks[0].layers[0].kind == "Linear",
        f"{g.blocks[0].parameters:,} of {g.parameters:,}: {share:.0%}",
    )


def most_units_are_silent() -> Fact:
    """More than two thirds of the encoder's 400 ReLUs give exactly 0 for the page's digit."""
    block = _part(_diagram("vae-20"), "encoder").blocks[0]
    assert block.values is not None
    share = float((block.values == 0).mean())
    return Fact(block.values.size == 400 and share > 2 / 3, f"{share:.0%} of {block.values.size}")


def a_gan_never_encodes() -> Fact:
    """No part of the GAN leads from an image to a code; noise is where the VAE's encoder ends."""
    gan, vae = _diagram("gan-mlp"), _diagram("vae-20")
    names = {part.key for part in gan.parts}
    noise = next(dot for dot in gan.dots if dot.key == "z")
    holds = names == {"generator", "discriminator"} and noise.role == "noise"
    holds = holds and {part.key for part in vae.parts} == {"encoder", "decoder"}
    return Fact(holds, f"GAN: {sorted(names)}, z is {noise.role}")


ARCHITECTURES = (
    Lesson(
        "convolutions",
        "The same code, fewer parameters",
        "vae-20 has fully connected layers and 652,824 parameters. conv-vae-20 makes a code of the "
        "same 20 numbers with convolutions. How many does it learn?",
        ("About twice as many", "About as many", "Five to six times fewer"),
        2,
        "Five to six times fewer: a convolution uses the same small kernel at every place of the "
        "image, where a fully connected layer has one weight for each pair of numbers.",
        convolutions_share,
        {"architectures.model": "conv-vae-20"},
        {"architectures.model": "vae-20"},
    ),
    Lesson(
        "dense",
        "Where the weights are",
        "dcgan-28 draws with convolutions. Where are most of its generator's parameters?",
        ("In the convolutions", "In the first, fully connected layer", "Evenly over the layers"),
        1,
        "More than nine tenths are in the first layer: it turns 100 random numbers into 32 maps of "
        "7×7, one weight for each pair. The convolutions after it do the drawing, and are small.",
        first_layer_is_most_of_g,
        {"architectures.model": "dcgan-28"},
    ),
    Lesson(
        "silent",
        "Silent units",
        "The encoder of vae-20 has 400 hidden units, with a ReLU each. How many of them stay at "
        "exactly 0 for this 3?",
        ("None", "About a third", "More than two thirds"),
        2,
        "More than two thirds. A ReLU answers only to what it has a pattern for. This is the "
        "encoder's first bar: each square is a unit, black is 0. Another digit wakes others.",
        most_units_are_silent,
        {"architectures.model": "vae-20", "architectures.at": "encoder.0"},
    ),
    Lesson(
        "no_encoder",
        "What a GAN lacks",
        "A VAE is encoder, noise, decoder. A GAN's generator is a decoder too. Where does its z "
        "come from?",
        ("From an encoder", "From the discriminator", "From nothing but noise"),
        2,
        "From noise alone: a GAN has no encoder, so it can't say which z made an image. In the "
        "encoder's place stands a second player, the discriminator, which only judges.",
        a_gan_never_encodes,
        {"architectures.model": "gan-mlp"},
        {"architectures.model": "vae-20"},
    ),
)


# One digit of each class: the medoid of the class's latents among the digits on the map.
MIDDLES = "4542.0-3815.1-5417.2-4097.3-5200.4-1967.5-8831.6-5540.7-7963.8-2443.9"
LIE = MIDDLES.replace("5200.4", "5200.9")
# One digit of each class, drawn at random.
RANDOM = "8681.0-6502.1-4965.2-2594.3-2872.4-356.5-517.6-80.7-1882.8-8044.9"


def _info() -> Info:
    """The model that the page opens with."""
    return next(one for one in loading.checkpoints("Encodes") if one.name == "vae-20")


def _labels(text: str) -> Labels:
    some = labels_data.task(_info())
    return labels_state.labels(labels_state.parse(text, some), some)


def accuracy(labels: Labels, features: str = "Latents", with_: str = "Label spreading") -> float:
    """Test accuracy on the page's other digits, in [0, 1]."""
    found = CLASSIFIERS[with_](FEATURES[features](_info()), labels)
    return few_labels.accuracy(found.test, labels_data.task(_info()).test_y).value


def middles_beat_random() -> Fact:
    """A label in the middle of each class: 86 to 90%; the random ten of the question: below 75."""
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
    some = labels_data.task(_info())
    found = few_labels.spread(labels_data.latents(_info()), labels).test.argmax(1)
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
        "in the middle of a cluster names all of it. The random ten stayed below 75%, since some "
        "sit at an edge.",
        middles_beat_random,
        {"few.labels": MIDDLES},
        {"few.labels": RANDOM},
    ),
    Lesson(
        "unlabelled",
        "What digits without a label are good for",
        "Give the same ten labels to logistic regression, which ignores all unlabelled digits. How "
        "much of the nearly nine in ten is left?",
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
        "Label spreading again, but now two digits are neighbours if their pixels are similar, not "
        "their codes. Is that better or worse?",
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


# As the page opens, where a link says nothing else; only the upper left 2 x 2 and 3 x 3 numbers.
START = {"n": "2", "k": "3", "s": "1", "p": "0", "e": "0"}
X, W = "1 2 3 4", "1 0 2 2 1 0 0 3 1"
NINE_ONES = "1 1 1 1 1 1 1 1 1"


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
SIXTEEN_ONES = " ".join(["1"] * 16)
SCALES = {"tconv.view": "checkerboard", "tconv.n": "4", "tconv.s": "2", "tconv.x": SIXTEEN_ONES}
UNEVEN = {**SCALES, "tconv.k": "3", "tconv.w": NINE_ONES}
EVEN = {**SCALES, "tconv.k": "4", "tconv.w": SIXTEEN_ONES}
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
    found = transposed_convolution.decoders()
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
