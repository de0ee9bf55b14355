"""The lessons of the map of models, and the facts that the map and the shipped models show."""

from __future__ import annotations

from genlib.ui.kit.evidence import named
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.side_by_side import map_of_models as the_map
from genlib.ui.side_by_side.map_of_models import Branch, Node

EXACT, BOUND = "HasLikelihood", "Bounds"


def _above(node: Node, branch: Branch = the_map.TREE) -> list[str]:
    """The titles of the branches above a node, the root first; [] if it isn't below ``branch``."""
    for child in branch.below:
        if child is node:
            return [branch.title]
        if isinstance(child, Branch) and (found := _above(node, child)):
            return [branch.title, *found]
    return []


def pixelcnn_is_exact() -> Fact:
    """Only pixelcnn computes log p(x) itself, and it stands on the tractable branch."""
    names = ("pixelcnn", "vae-20", "dcgan-28", "rbm-500")
    exact = [name for name in names if EXACT in named(name).capabilities]
    above = _above(the_map.PIXELCNN)
    bounded = BOUND in named("vae-20").capabilities
    holds = exact == ["pixelcnn"] and "Tractable" in above and bounded
    return Fact(holds, f"exact: {', '.join(exact)}; {' > '.join(above)}")


def an_autoencoder_has_no_density() -> Fact:
    """ae-30 neither samples nor bounds log p, has an energy, and isn't below the first tree."""
    able = named("ae-30").capabilities
    related = any(the_map.AUTOENCODER in branch.below for branch in the_map.RELATED)
    outside = related and not _above(the_map.AUTOENCODER)
    lacks = not able & {EXACT, BOUND, "Samples", "HasDensity"}
    return Fact(outside and lacks and "HasEnergy" in able, ", ".join(sorted(able)))


def an_rbm_needs_a_chain() -> Fact:
    """Only rbm-500 draws by a Gibbs chain; the others decode z once."""
    names = ("vae-20", "dcgan-28", "rbm-500")
    chains = [name for name in names if "GibbsSamples" in named(name).capabilities]
    direct = [name for name in names if "Decodes" in named(name).capabilities]
    above = _above(the_map.RBM)
    holds = chains == ["rbm-500"] and direct == ["vae-20", "dcgan-28"] and "Markov chain" in above
    return Fact(holds, f"by a chain: {', '.join(chains)}; in one step: {', '.join(direct)}")


MAP_OF_MODELS = (
    Lesson(
        "exact",
        "Who knows the exact number?",
        "Which of these models can say exactly how probable an image is?",
        ("A VAE", "A GAN", "A PixelCNN", "An RBM"),
        2,
        "PixelCNN multiplies the probabilities of 784 pixels. A VAE has a bound, an RBM an "
        "estimate, since its log Z is unknown. A GAN only has samples.",
        pixelcnn_is_exact,
        {"map.mark": the_map.PIXELCNN.name},
    ),
    Lesson(
        "outside",
        "Who is outside the tree?",
        "Which of these models is not on the tree of densities at all?",
        ("The autoencoder", "The GAN", "PCA"),
        0,
        "An autoencoder gives neither a density nor samples. It has an energy: how badly it "
        "rebuilds an image. A GAN has a density too, but it can't be computed.",
        an_autoencoder_has_no_density,
        {"map.mark": the_map.AUTOENCODER.name},
    ),
    Lesson(
        "many_steps",
        "Whose samples take many steps?",
        "A VAE, a GAN and an RBM each draw one digit. Which of them needs many steps for it?",
        ("The VAE", "The GAN", "The RBM"),
        2,
        "VAE and GAN decode one z, once. An RBM runs a Markov chain, from pixels to hidden units "
        "and back, until the chain has forgotten where it began.",
        an_rbm_needs_a_chain,
        {"map.mark": the_map.RBM.name},
    ),
)
