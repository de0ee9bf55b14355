"""The lessons of the pages on gradient ascent, and the facts that they show on the shipped models.

The facts climb as the pages do: same start, same random moves, same knobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.explore.ascent.climb import Ascent, AscentFrame, noise
from genlib.explore.ascent.knobs import Knobs
from genlib.ui.classifiers import deep_dream
from genlib.ui.classifiers.ascent import SEED
from genlib.ui.classifiers.class_images import CLASS, begins_with
from genlib.ui.classifiers.networks import PARTNERS, lens_of
from genlib.ui.kit import loading
from genlib.ui.kit.lessons import Fact, Lesson

ROBUST, COLOUR = "classifier-robust", "classifier-cifar-robust"
STEPS, COLOUR_STEPS, NUDGES = 100, 60, 6
FOUR, NINE = 4, 9
NEAREST = 10
# Where the dog's face appears in the temple's trees: the crop's middle and side, in pixels.
FACE, FACE_SIDE, DOG = (162, 255), 56, 5


def _climbed(
    name: str,
    steps: int,
    classes: Sequence[int] = (CLASS,),
    start: Tensor | None = None,
    **changes: float,
) -> dict[str, AscentFrame]:
    """What Class images shows after these steps: a frame of the network, and of that next to it."""
    found = {}
    for one in (name, PARTNERS[name]):
        lens = lens_of(one)
        rng = torch.Generator().manual_seed(0)  # the seed of the noise that the page opens with
        shape = (len(classes), *lens.network.shape)
        image = noise(shape, lens.base.cpu(), rng) if start is None else start
        knobs = replace(begins_with(lens.network)[1], **changes)  # type: ignore[arg-type]
        ascent = Ascent(lens, image, classes, knobs, torch.Generator().manual_seed(SEED))
        for _ in range(steps):
            ascent.advance()
        found[one] = ascent.frame()
    return found


def _neighbours_agree(image: Tensor) -> float:
    """The correlation of each pixel with the one to its right and the one below: 1 is smooth."""
    pairs = ((image[..., 1:], image[..., :-1]), (image[..., 1:, :], image[..., :-1, :]))
    both = [torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1] for a, b in pairs]
    return float(sum(both) / 2)


def _nearest_digits(image: Tensor) -> tuple[float, Tensor]:
    """The test digits that correlate most with a picture: how much the first does, and labels."""
    data = loading.dataset()
    rows = torch.cat([image.flatten(1).float(), data.test_x.flatten(1).float() / 255])
    rows = F.normalize(rows - rows.mean(1, keepdim=True))
    value, index = (rows[1:] @ rows[0]).topk(NEAREST)
    return float(value[0]), data.test_y[index]


def one_draws_a_three() -> Fact:
    """Both are sure; only the robust network's picture is as smooth as strokes, and near a 3."""
    frames = _climbed(ROBUST, STEPS)
    robust, plain = frames[ROBUST], frames[PARTNERS[ROBUST]]
    smooth = [_neighbours_agree(f.image) for f in (robust, plain)]
    (close, labels), (far, _) = _nearest_digits(robust.image), _nearest_digits(plain.image)
    sure = min(float(robust.probability), float(plain.probability))
    holds = sure > 0.99 and smooth[0] > 0.6 and smooth[1] < 0.35
    return Fact(
        holds and bool((labels == CLASS).all()) and close > far + 0.08,
        f"both at least {sure:.1%} sure; neighbouring pixels correlate {smooth[0]:.2f} and "
        f"{smooth[1]:.2f}; the nearest real digit {close:.2f} and {far:.2f}",
    )


def a_four_becomes_a_nine() -> Fact:
    """After six steps from a real 4 the plain network says 9, the robust one doesn't."""
    data = loading.dataset()
    four = data.test_x[data.test_y == FOUR][:1].float() / 255
    frames = _climbed(ROBUST, NUDGES, (NINE,), four)
    robust, plain = frames[ROBUST], frames[PARTNERS[ROBUST]]
    p = [float(f.probability) for f in (robust, plain)]
    moved = float((plain.image - four).square().mean().sqrt())
    return Fact(
        p[1] > 0.9 and p[0] < 0.5 and moved < 0.12,
        f"9 with {p[1]:.1%} (plain) and {p[0]:.1%} (robust); pixels moved by {moved:.2f} (rms)",
    )


def colours_can_be_named() -> Fact:
    """Each network judges the pictures of the other: those of the robust one can be named."""
    ten = range(10)
    frames = _climbed(COLOUR, COLOUR_STEPS, ten)
    right = {}
    for name, frame in frames.items():
        with torch.no_grad():
            said = lens_of(PARTNERS[name]).view().scores(frame.image).argmax(1)
        right[name] = int((said == torch.arange(10)).sum())
    sure = min(float(f.probability.min()) for f in frames.values())
    return Fact(
        sure > 0.99 and right[COLOUR] >= 9 and right[PARTNERS[COLOUR]] <= 4,
        f"both at least {sure:.1%} sure; the other network names {right[COLOUR]} and "
        f"{right[PARTNERS[COLOUR]]} of 10",
    )


CLASS_IMAGES = (
    Lesson(
        "two_networks",
        "Two networks, one ascent",
        "Both networks read digits well. The picture climbs until each is certain of "
        "a 3. Which network draws a 3?",
        ("Both", "Only the one trained on ordinary digits", "Only the robust one", "Neither"),
        2,
        "Both are more than 99% certain. The plain network gets there with stripes that no digit "
        "has: it only learned what tells digits apart. The robust one was trained on digits "
        "changed to fool it, so that only real strokes convince it.",
        one_draws_a_three,
        {"class_images.steps": str(STEPS)},
    ),
    Lesson(
        "four_to_nine",
        "A 4 that is called a 9",
        "The picture is a real 4, and it climbs towards 9 for only six steps. Who says 9 already?",
        ("The plain network", "The robust network", "Both"),
        0,
        "The plain network is more than 90% certain of a 9, though you still see the 4. Small "
        "changes spread over all pixels add up. The robust network has to see the 4 close at the "
        "top first: press Start and watch it.",
        a_four_becomes_a_nine,
        {
            "class_images.from": "A digit",
            "class_images.digit.class": str(FOUR),
            "class_images.class": str(NINE),
            "class_images.steps": str(NUDGES),
        },
        {
            "class_images.from": "A digit",
            "class_images.digit.class": str(FOUR),
            "class_images.class": str(NINE),
        },
    ),
    Lesson(
        "colour",
        "The same in colour",
        "Now two networks that tell ten kinds of things apart in colour. How many of the robust "
        "network's ten pictures will the plain network recognise?",
        ("None or one", "About half", "Nine or ten"),
        2,
        "It names nine or ten of them, though it was never trained with them. The other way round "
        "at most four: what the plain network paints means nothing to anybody else.",
        colours_can_be_named,
        {
            "class_images.network": COLOUR,
            "class_images.show": "All at once",
            "class_images.steps": str(COLOUR_STEPS),
        },
        {"class_images.network": COLOUR, "class_images.show": "All at once"},
    ),
)


def _dreamt(octaves: int = deep_dream.OCTAVES, **changes: float) -> tuple[Tensor, Tensor, float]:
    """What DeepDream opens with and what it shows after 60 steps, (1, 3, H, W) each, and by how
    much the layer's activation has grown."""
    name = deep_dream.NETWORK
    lens = lens_of(name)
    layer = lens.layers[deep_dream.first_layer(name, lens)].name
    photo = deep_dream.photograph(deep_dream.PICTURE, deep_dream.SIDE, lens)
    knobs: Knobs = replace(deep_dream.KNOBS, layer=layer, octaves=octaves)
    knobs = replace(knobs, **changes)  # type: ignore[arg-type]
    ascent = Ascent(lens, photo, [0], knobs, torch.Generator().manual_seed(SEED))
    before = float(ascent.frame().value)
    for _ in range(deep_dream.REST_EVERY):
        ascent.advance()
    frame = ascent.frame()
    return photo, frame.image, float(frame.value) / before


def similarity(a: Tensor, b: Tensor, window: int = 7) -> float:
    """Structural similarity of the brightness of two pictures (1, C, H, W): 1 for the same one.

    Source: Wang, Bovik, Sheikh & Simoncelli 2004, with a uniform window.
    """
    a, b = a.mean(1, keepdim=True), b.mean(1, keepdim=True)

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, window, 1)

    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    light = (2 * ma * mb + 1e-4) / (ma**2 + mb**2 + 1e-4)
    return float((light * (2 * cov + 9e-4) / (va + vb + 9e-4)).mean())


def _saturated(x: Tensor) -> float:
    """The share of numbers that are black or white, to one level of 255."""
    return float(((x < 1 / 255) | (x > 254 / 255)).float().mean())


def _dog(x: Tensor) -> float:
    """How sure the robust network, which has not dreamt, is of a dog in the temple's trees."""
    (row, column), half = FACE, FACE_SIDE // 2
    crop = x[..., row - half : row + half, column - half : column + half]
    judge = lens_of(COLOUR)
    small = F.interpolate(crop, judge.network.shape[1:], mode="bilinear", antialias=True)
    with torch.no_grad():
        return float(judge.view().scores(small).softmax(1)[0, DOG])


def a_dog_in_the_trees() -> Fact:
    """The other network sees a dog where there was none; the picture is close and not saturated."""
    photo, dream, grown = _dreamt()
    before, after = _dog(photo), _dog(dream)
    near, share = similarity(photo, dream), _saturated(dream)
    holds = before < 0.15 and after > 0.75 and near > 0.6 and share < 0.07 and grown > 3
    return Fact(
        holds,
        f"a dog: {before:.0%} before, {after:.0%} after; similarity {near:.2f}; {share:.1%} of "
        f"the pixels saturated; activation x{grown:.1f}",
    )


def one_size_shows_no_dog() -> Fact:
    """With one octave the activation grows more, but no dog appears."""
    _, dream, grown = _dreamt(octaves=1)
    dog = _dog(dream)
    return Fact(dog < 0.2 and grown > 10, f"a dog: {dog:.0%}; activation x{grown:.0f}")


def nothing_keeps_the_photograph() -> Fact:
    """Without the pull, the similarity with the photograph falls well below the default's."""
    photo, kept, _ = _dreamt()
    _, free, _ = _dreamt(keep=0.0)
    near, far = similarity(photo, kept), similarity(photo, free)
    return Fact(far < 0.5 < 0.6 < near, f"similarity {near:.2f} with the pull, {far:.2f} without")


DEEP_DREAM = (
    Lesson(
        "temple",
        "What is in the trees?",
        "This network tells cars, ships, cats, dogs and six more things apart. Look at the dark "
        "trees to the right of the temple: what will it see there?",
        ("Another temple", "A dog", "More trees"),
        1,
        "It knows no temples and no trees, so it finds what it was trained on. Another network, "
        "which has not dreamt, is more than 75% sure of a dog's face where it saw none before. "
        "The photograph is still there.",
        a_dog_in_the_trees,
        {"deep_dream.steps": str(deep_dream.REST_EVERY)},
    ),
    Lesson(
        "one_size",
        "Only one size",
        "Five octaves let the network look at the photograph in five sizes. What if it sees only "
        "one of them?",
        ("The same dog", "Many small dogs", "No dog, only small patterns"),
        2,
        "The network learned from pictures of 32×32 pixels, so it only finds things of about that "
        "size. A dog of twice that size needs a smaller copy of the photograph. The activation "
        "still grows more than tenfold.",
        one_size_shows_no_dog,
        {"deep_dream.octaves": "1", "deep_dream.steps": str(deep_dream.REST_EVERY)},
        {"deep_dream.octaves": "1"},
    ),
    Lesson(
        "no_pull",
        "Nothing holds the photograph",
        "A term pulls each pixel back towards the photograph. What is left of the temple after 60 "
        "steps without it?",
        ("All of it", "Less than half of its structure", "Nothing at all"),
        1,
        "Structural similarity, 1 for the same picture, falls below 0.5; with the pull it stays "
        "above 0.6. The ascent never asks whether a picture is likely, only whether the layer "
        "responds more.",
        nothing_keeps_the_photograph,
        {"deep_dream.keep": "0", "deep_dream.steps": str(deep_dream.REST_EVERY)},
    ),
)
