"""The lessons of "Sampling". tests/web/sampling.test.mjs computes what they claim.

There is no Python that trains as the page does, so none of them has a ``fact``.
"""

from __future__ import annotations

from genlib.ui.kit.lessons import Lesson

SAMPLING = (
    Lesson(
        "steep",
        "Uniform numbers in, two modes out",
        "2,000 numbers u, any from 0 to 1 as likely as any other, go through F⁻¹. Where do most "
        "of them land?",
        ("Evenly over x", "Where F is steep", "Where F is flat"),
        1,
        "Where F is steep, a long stretch of u leads to a short stretch of x. Fewer than 2 in 100 "
        "land where p is below 2 % of its highest, although that is more than half of the axis.",
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
        "other it passes through the gap. It can only hurry, so a few z land there.",
        None,
        {"sampling.log": "2000b"},
    ),
    Lesson(
        "hurry",
        "Where G must hurry",
        "Look at G(z) after 2,000 steps. Where is it steepest?",
        ("Inside the modes", "Between the modes", "For the rarest z"),
        1,
        "Between the modes, more than ten times as steep as it typically is. The true map jumps "
        "there. G needs large weights for that, and they take thousands of steps to grow.",
        None,
        {"sampling.log": "2000b"},
    ),
    Lesson(
        "best",
        "A judge with time to learn",
        "G has had 100 steps: its samples q overlap the data p. Now G stands still while D takes "
        "500 steps alone. What does D(x) come to?",
        ("Near 0 or 1 everywhere", "p / (p + q)", "0.5 everywhere"),
        1,
        "No D can do better against this G. Averaged over all points, real and forged, D(x) is "
        "within 0.05 of it. In training D gets one step at a time, and G moves in between.",
        None,
        {"sampling.seed": "2", "sampling.log": "100b~500d"},
        {"sampling.seed": "2", "sampling.log": "100b"},
    ),
)
