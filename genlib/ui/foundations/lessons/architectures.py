"""The lessons of the Architectures page, and the facts that they show on the shipped models."""

from __future__ import annotations

from genlib.data.datasets import to_float
from genlib.explore.architecture import Diagram, Part
from genlib.ui.foundations import architectures
from genlib.ui.kit import loading
from genlib.ui.kit.lessons import Fact, Lesson

DIGIT = 3  # the page opens with the first test digit of this class


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
        "dcgan-28 draws with convolutions. Where are most of its generator’s parameters?",
        ("In the convolutions", "In the first, fully connected layer", "Evenly in all layers"),
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
        "encoder’s first bar: each square is a unit, black is 0. Another digit wakes others.",
        most_units_are_silent,
        {"architectures.model": "vae-20", "architectures.at": "encoder.0"},
    ),
    Lesson(
        "no_encoder",
        "What a GAN lacks",
        "A VAE is encoder, noise, decoder. A GAN’s generator is a decoder too. Where does its z "
        "come from?",
        ("From an encoder", "From the discriminator", "From nothing but noise"),
        2,
        "From noise alone: a GAN has no encoder, so it can’t say which z made an image. In the "
        "encoder’s place stands a second player, the discriminator, which only judges.",
        a_gan_never_encodes,
        {"architectures.model": "gan-mlp"},
        {"architectures.model": "vae-20"},
    ),
)
