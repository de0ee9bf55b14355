"""The lessons of "GAN in the plane" and "Sampling"; tests/web computes what they claim.

Nothing in Python trains as these pages do, so none of them has a ``fact``.
"""

from __future__ import annotations

from genlib.ui.kit.lessons import Lesson

COLLAPSED = {"gan_plane.lrG": "0.01", "gan_plane.seed": "2"}

GAN_PLANE = (
    Lesson(
        "eight",
        "One blob becomes eight",
        "The noise z is one blob, and the data are eight. After 2,000 steps, how many of the "
        "eight have samples?",
        ("One", "About half", "All eight"),
        2,
        "G bends the plane until most of it lies on the eight. It can't tear it, so about three "
        "in ten samples still lie on thin bridges in between. Switch on G's mesh to see them.",
        None,
        {"gan_plane.log": "2000b"},
    ),
    Lesson(
        "fast",
        "G learns ten times as fast",
        "Suppose G's learning rate is ten times D's. Where will G's samples be after 2,300 steps?",
        ("On all eight, sooner", "All on one of the eight", "Everywhere"),
        1,
        "This is mode collapse. Before D learns that one spot is crowded, all of G has moved to "
        "where D still believes. Press Play: it hops from mode to mode.",
        None,
        {**COLLAPSED, "gan_plane.log": "2300b"},
    ),
    Lesson(
        "recover",
        "Can a collapse be undone?",
        "Most samples are on one mode. We lower G's learning rate to D's and go on for 1,000 "
        "steps. What happens?",
        ("They stay there", "They spread over the modes", "They fly apart"),
        1,
        "D now devalues the crowded mode before all of G has moved on. Samples spread, and at "
        "least six modes are covered. Nothing was reset: collapse is a race, not a dead end.",
        None,
        {**COLLAPSED, "gan_plane.log": "1400b~lrG=0.001~1000b"},
        {**COLLAPSED, "gan_plane.log": "1400b"},
    ),
    Lesson(
        "momentum",
        "Adam with its default",
        "PyTorch's Adam has β₁ = 0.9 unless you say otherwise. What does that do to the GAN in "
        "2,000 steps?",
        ("It is faster", "It oscillates and covers almost nothing", "It makes no difference"),
        1,
        "β₁ = 0.9 averages about ten gradients, but the opponent has moved since. Both overshoot. "
        "Rewind with β₁ = 0.5, and the same first weights cover all eight modes.",
        None,
        {"gan_plane.beta1": "0.9", "gan_plane.seed": "2", "gan_plane.log": "2000b"},
    ),
    Lesson(
        "minimax",
        "The loss that saturates",
        "The minimax loss is known for gradients that vanish when D wins. Who wins here after "
        "2,000 steps?",
        ("D: G learns nothing", "G: D learns nothing", "Neither: it works as well"),
        2,
        "All eight modes are covered. D's loss stays near log 4, so it never wins by enough for "
        "G's gradient to vanish. The trouble needs data that D can tell apart with certainty.",
        None,
        {"gan_plane.loss": "minimax", "gan_plane.log": "2000b"},
    ),
)


SAMPLING = (
    Lesson(
        "steep",
        "Uniform numbers in, two modes out",
        "2,000 numbers u, drawn uniformly between 0 and 1, go through F⁻¹. Where do most of them "
        "land?",
        ("Evenly over x", "Where F is steep", "Where F is flat"),
        1,
        "Where F is steep, a long stretch of u leads to a short stretch of x. Fewer than 2 in 100 "
        "land where p is below 2% of its highest, although that is more than half of the axis.",
        None,
        {"sampling.n": "2000"},
    ),
    Lesson(
        "gap",
        "Nothing lives in the gap",
        "The GAN has seen samples of two modes with nothing in between. After 2,000 steps, how "
        "many of its samples lie in gaps?",
        ("None", "A few in a hundred", "About one in four"),
        1,
        "Each mode needs half of all z, and G is continuous: on the way from one mode to the "
        "other it passes through the gap. It can only cross it steeply, so a few z still land "
        "there.",
        None,
        {"sampling.log": "2000b"},
    ),
    Lesson(
        "hurry",
        "Where G must be steep",
        "G trains for 2,000 steps. Where will G(z) be steepest?",
        ("Inside the modes", "Between the modes", "For the rarest z"),
        1,
        "Between the modes, more than ten times as steep as it typically is. The true map jumps "
        "there. G needs large weights for that, and they take thousands of steps to grow.",
        None,
        {"sampling.log": "2000b"},
    ),
    Lesson(
        "best",
        "A discriminator with time to learn",
        "G has had 100 steps: its samples q overlap the data p. Now G stands still while D takes "
        "500 steps alone. What does D(x) come to?",
        ("Near 0 or 1 everywhere", "p / (p + q)", "0.5 everywhere"),
        1,
        "No D can do better against this G. Averaged over all points, real and generated, D(x) is "
        "within 0.05 of it. In training D gets one step at a time, and G moves in between.",
        None,
        {"sampling.seed": "2", "sampling.log": "100b~500d"},
        {"sampling.seed": "2", "sampling.log": "100b"},
    ),
)
