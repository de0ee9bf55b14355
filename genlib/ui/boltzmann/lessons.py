"""The lessons of the page on Boltzmann machines, and the facts that the shipped models show.

The browser's chain draws with random numbers of its own. The facts run the same chain with a seed.
"""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor

from genlib.explore import race as racing
from genlib.models.boltzmann import states
from genlib.models.capabilities import GibbsSamples, HasFreeEnergy
from genlib.ui.boltzmann.rbm import race
from genlib.ui.boltzmann.rbm.chain import STARTS, layers_of, left_visible
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import digit, named, read
from genlib.ui.kit.lessons import Fact, Lesson
from genlib.ui.kit.likelihoods import rows_of

CHAINS = 32
SIDE = 28


class Machine(GibbsSamples, HasFreeEnergy, Protocol):
    """A restricted Boltzmann machine."""


def _rbm() -> Machine:
    return cast(Machine, loading.model(named("rbm-500")))


def _black_and_white(cls: int) -> Tensor:
    """The first test digit of a class, as the page gives it to the chain: (784,) of 0 and 1."""
    return (digit(cls) > 0.5).float().flatten()


@torch.no_grad()
def _seen(model: Machine, v: Tensor) -> Tensor:
    """The class that is read in each chain's pixel probabilities; v (N, 784): (N,)."""
    shown = model.visible_probabilities(model.hidden_probabilities(v))
    return read(shown.view(-1, 1, SIDE, SIDE))


@torch.no_grad()
def noise_becomes_likely_soon() -> Fact:
    """Of 32 chains from noise most reach the band of test digits within 50 steps, none in two."""
    model, rng = _rbm(), torch.Generator().manual_seed(0)
    low, high = layers_of(named("rbm-500"))[1]
    v = torch.bernoulli(torch.full((CHAINS, SIDE**2), 0.5), generator=rng)
    within = []
    for steps in (2, 48):
        v = model.gibbs(v, steps, rng)
        free = model.free_energy(v)
        within.append(float(((low <= free) & (free <= high)).float().mean()))
    return Fact(
        within[0] == 0 and within[1] > 0.7,
        f"in the band: {within[0]:.0%} after 2 steps, {within[1]:.0%} after 50",
    )


@torch.no_grad()
def a_one_stays_a_one() -> Fact:
    """After 1,000 steps more than 8 in 10 chains from a 1 still show a 1; from a 3, under half."""
    model, kept = _rbm(), {}
    for cls in (1, 3):
        rng = torch.Generator().manual_seed(0)
        v = model.gibbs(_black_and_white(cls).expand(CHAINS, -1), 1000, rng)
        kept[cls] = float((_seen(model, v) == cls).float().mean())
    holds = kept[1] > 0.8 and kept[3] < 0.5
    return Fact(holds, f"still the same digit: {kept[1]:.0%} of 1s, {kept[3]:.0%} of 3s")


@torch.no_grad()
def the_top_of_a_three_becomes_a_five() -> Fact:
    """With the upper half hidden, most chains finish the 3 as a 5 after 300 steps."""
    model, rng = _rbm(), torch.Generator().manual_seed(0)
    known = left_visible("Upper half", SIDE, SIDE)
    assert known is not None
    held, given = torch.from_numpy(known).flatten(), _black_and_white(3)
    noise = torch.bernoulli(torch.full((CHAINS, SIDE**2), 0.5), generator=rng)
    v = torch.where(held, given, noise)
    for _ in range(300):
        v = torch.where(held, given, model.gibbs(v, 1, rng))
    shown = torch.where(held, given, model.visible_probabilities(model.hidden_probabilities(v)))
    counts = read(shown.view(-1, 1, SIDE, SIDE)).bincount(minlength=10)
    return Fact(int(counts[5]) > CHAINS // 2, f"5 in {counts[5]}, 3 in {counts[3]} of {CHAINS}")


def a_second_layer_is_worth_little() -> Fact:
    """The bound of dbn-500-500 is less than a nat below the estimate of rbm-500, and below it."""
    rows = rows_of([named("rbm-500"), named("dbn-500-500")])
    nats = {r.model: r.value for r in rows if r.metric == "nll_ais"}
    gain = nats["rbm-500"] - nats["dbn-500-500"]
    return Fact(0 < gain < 1, ", ".join(f"{name} {value:.1f} nats" for name, value in nats.items()))


def short_chains_mislead() -> Fact:
    """At rate 0.2, CD-1's exact log p rises and later falls, and PCD loses more than 5 nats."""
    models = {n: m for n, m in race.contestants(16).items() if n in ("CD-1", "PCD")}
    looks = racing.run(models, race.bars(), states(16), steps=race.STEPS, every=200, lr=0.2)
    runners = list(looks)[-1]
    nats = {name: [nll for _, nll in runner.curve] for name, runner in runners.items()}
    lost = {name: values[-1] - min(values) for name, values in nats.items()}
    holds = lost["CD-1"] > 0.3 and min(nats["CD-1"]) < nats["CD-1"][0] - 3 and lost["PCD"] > 5
    return Fact(holds, ", ".join(f"{n} ends {value:.1f} nats worse" for n, value in lost.items()))


RBM = (
    Lesson(
        "from_noise",
        "From noise to digits",
        "Let sixteen chains start from noise. After how many steps will most of them be as likely "
        "as real test digits?",
        ("About 50", "About 1,000", "About 100,000"),
        0,
        "Press Run and watch F fall into the orange band, where 90% of test digits lie. After 2 "
        "steps no chain is there, after 50 most are. Every step draws 500 hidden units and 784 "
        "pixels at once.",
        noise_becomes_likely_soon,
        {"rbm.chains": "16"},
    ),
    Lesson(
        "mixing",
        "Can a 1 become an 8?",
        "Let sixteen chains start from this 1. What will they show after 1,000 steps?",
        ("All kinds of digits", "Nearly all still a 1", "Noise"),
        1,
        "Press Run. More than 80% still show a 1: on the way to another digit lie images of high "
        "F, which a chain hardly ever crosses. That is slow mixing. Of chains that start from a 3, "
        "more than half have changed by then.",
        a_one_stays_a_one,
        {"rbm.start": STARTS["digit"], "rbm.digit.class": "1", "rbm.chains": "16"},
        {"rbm.digit.class": "1"},
    ),
    Lesson(
        "hidden",
        "The upper half of a 3",
        "Suppose we hide the upper half of this 3, and nine chains fill it in. Which digit will "
        "most of them draw?",
        ("A 3", "A 5", "An 8"),
        1,
        "Press Run. The lower half of this 3 suits a 5 as well, and the machine finds the 5 "
        "likelier. The lower half is held, so what you see is drawn from p(upper | lower).",
        the_top_of_a_three_becomes_a_five,
        {"rbm.hide": "Upper half", "rbm.chains": "9"},
    ),
    Lesson(
        "second_layer",
        "One layer more",
        "A deep belief network puts a second layer of 500 units on top of these. How much does "
        "that gain in −log p per digit?",
        ("About 20 nats", "About 5 nats", "Less than 1 nat"),
        2,
        "Both are close to 92 nats. The DBN's number is an upper bound, so it may be a little "
        "better than it looks. Press Estimate log p to measure it again.",
        a_second_layer_is_worth_little,
        {"rbm.view": "Log-likelihood", "rbm.model": "dbn-500-500"},
        {"rbm.view": "Log-likelihood"},
    ),
    Lesson(
        "cd1",
        "One Gibbs step is too few",
        "CD-1 trains an RBM on 30 images of bars and stripes with learning rate 0.2. How does the "
        "exact log p change over 2,000 steps?",
        ("It rises to the end", "It rises and then falls", "It falls from the start"),
        1,
        "Press Train all four. One step never leaves the neighbourhood of the data, so CD-1 can't "
        "see the wrong modes that it makes. At this rate persistent chains can't follow either: "
        "PCD ends more than 5 nats worse than its best.",
        short_chains_mislead,
        {"rbm.view": "Ways to train", "rbm.lr": "0.2"},
        {"rbm.view": "Ways to train"},
    ),
)
