"""The lessons of the page on Gaussians, and the facts that they show.

The page's own numbers are computed in the browser; tests/web compares those with numpy, SciPy and
scikit-learn on the same people, so that a fact may be computed here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from genlib.data.adults import adults
from genlib.ui.kit.lessons import Fact, Lesson

TALL = 180.0  # cm, the slice of a lesson
PERSON = (174.6, 69.3)  # cm and kg, near the border between the classes
FEW = 0.1  # the share of men in a room full of women
TILT = 0.95  # the correlation of the p that a VAE's q is to follow


def _people(sex: int | None = None) -> NDArray[np.float64]:
    """(N, 2): height and weight, of all or of one sex."""
    people = adults()
    chosen = np.isin(people[:, 2], (0, 1) if sex is None else (sex,))
    return people[chosen, :2]


def _fit() -> dict[str, float]:
    """The most likely Gaussian of everybody, by the names of the page's link."""
    x, y = _people().T
    fit = {"mx": x.mean(), "my": y.mean(), "sx": x.std(), "sy": y.std()}
    fit["rho"] = ((x - fit["mx"]) * (y - fit["my"])).mean() / (fit["sx"] * fit["sy"])
    return {name: float(value) for name, value in fit.items()}


def _link(view: str, **values: float) -> dict[str, str]:
    """The page's link: five digits are as many as it keeps."""
    numbers = {f"gaussians.{name}": f"{value:.5g}" for name, value in values.items()}
    return {"gaussians.view": view, **numbers}


def _log_density(x: NDArray[np.float64], at: tuple[float, float]) -> float:
    """log N(at; mean, covariance) of the Gaussian of x."""
    away, cov = np.asarray(at) - x.mean(axis=0), np.cov(x.T, bias=True)
    return -0.5 * float(
        away @ np.linalg.solve(cov, away) + np.log(np.linalg.det(cov)) + 2 * math.log(2 * math.pi)
    )


def _man(prior: float) -> float:
    """p(man | PERSON) by Bayes' rule, with this share of men."""
    odds = math.log(prior / (1 - prior))
    odds += _log_density(_people(1), PERSON) - _log_density(_people(0), PERSON)
    return 1 / (1 + math.exp(-odds))


def two_thirds_within_one_sigma() -> Fact:
    """Between μ − σ and μ + σ lies 68 % of the density, and of the heights about as much."""
    heights = _people()[:, 0]
    mu, sigma = heights.mean(), heights.std()
    share = float(((heights > mu - sigma) & (heights < mu + sigma)).mean())
    density = math.erf(1 / math.sqrt(2))
    holds = f"{density:.0%}" == "68%" and abs(share - density) < 0.04
    return Fact(holds, f"{density:.1%} of the density, {share:.1%} of the heights")


def height_narrows_weight() -> Fact:
    """Knowing the height takes about 30 % off the spread of weight: from 13 to 9 kg."""
    fit = _fit()
    left = fit["sy"] * math.sqrt(1 - fit["rho"] ** 2)
    off = 1 - left / fit["sy"]
    holds = f"{fit['sy']:.0f} {left:.0f} {off:.0%} {fit['rho']:.2f}" == "13 9 30% 0.72"
    return Fact(holds, f"from {fit['sy']:.1f} to {left:.1f} kg, ρ = {fit['rho']:.3f}")


def prior_turns_the_verdict() -> Fact:
    """The same person is rather a man among as many men, and rather a woman among few."""
    equal, few = _man(float(adults()[:, 2].mean())), _man(FEW)
    holds = f"{equal:.0%}" == "66%" and f"{few:.0%}" == "18%"
    return Fact(holds, f"p(man) is {equal:.1%} at first and {few:.1%} with {FEW:.0%} men")


def diagonal_stays_inside() -> Fact:
    """The q of least KL(q ‖ p) is 31 % as wide as p in every direction, for ρ = 0.95."""
    fit = _fit()
    cov = np.diag([fit["sx"], fit["sy"]])
    cov = cov @ np.array([[1, TILT], [TILT, 1]]) @ cov
    widths = np.sqrt(1 / np.diag(np.linalg.inv(cov))) / np.sqrt(np.diag(cov))
    cost = -0.5 * math.log(1 - TILT**2)
    holds = all(f"{w:.0%}" == "31%" for w in widths) and f"{cost:.2f}" == "1.16"
    return Fact(holds, f"q is {widths[0]:.1%} as wide as p, at a cost of {cost:.3f} nats")


def _one_sigma() -> dict[str, str]:
    fit = _fit()
    mu, sigma = fit["mx"], fit["sx"]
    ends = {"from": f"{mu - sigma:.6g}", "to": f"{mu + sigma:.6g}"}
    return {f"gaussians.{k}": v for k, v in ends.items()} | _link("one", mu=mu, sigma=sigma)


def _narrow() -> dict[str, str]:
    fit, left = _fit(), math.sqrt(1 - TILT**2)
    return _link("diagonal", rho=TILT, qx=fit["sx"] * left, qy=fit["sy"] * left)


_AT_THE_BORDER = {"sx": PERSON[0], "sy": PERSON[1]}

GAUSSIANS = (
    Lesson(
        "one_sigma",
        "Within one standard deviation",
        "How many people are no further from the mean height than one standard deviation?",
        ("About half of them", "About two thirds", "About 95 in 100"),
        1,
        "68 % of a Gaussian lies between μ − σ and μ + σ, whatever μ and σ are, and 95 % within "
        "two. The grey bars are people: about as many of them.",
        two_thirds_within_one_sigma,
        _one_sigma(),
    ),
    Lesson(
        "slice",
        "What height says about weight",
        "Weights spread by 13 kg around their mean. This Gaussian takes no notice of height yet "
        "(ρ = 0). With the ρ of real people, how much narrower is the spread at 180 cm?",
        ("Not at all", "By about a third", "By two thirds"),
        1,
        "A slice through a Gaussian is a Gaussian, √(1 − ρ²) times as wide. With ρ = 0.72 the "
        "spread falls from 13 to 9 kg, by 30 %. Its mean moves along the dashed line, which is "
        "linear regression.",
        height_narrows_weight,
        _link("two", slice=TALL, **_fit()),
        _link("two", slice=TALL, **{**_fit(), "rho": 0.0}),
    ),
    Lesson(
        "prior",
        "A room full of women",
        "Somebody of 174.6 cm and 69.3 kg is a man with 66 %. Now you hear that nine in ten people "
        "in the room are women. What do you say?",
        ("Still rather a man", "Fifty to fifty", "Rather a woman"),
        2,
        "Bayes' rule multiplies p(x | y) by p(y). With one man in ten, p(man | x) falls from 66 % "
        "to 18 %, and the border moves. Logistic regression learned p(y | x) alone and stays.",
        prior_turns_the_verdict,
        _link("classes", prior=FEW, **_AT_THE_BORDER),
        _link("classes", **_AT_THE_BORDER),
    ),
    Lesson(
        "mixture",
        "No one told it who is who",
        "A mixture of two Gaussians sees 1,000 heights and weights, and no labels. How many people "
        "does it sort as the labels would?",
        ("About half, like a coin", "Five in six", "All but a few"),
        1,
        "The likelihood is highest where one Gaussian takes most women and the other most men: "
        "84 % agree. Nothing asked for that, and the gain over one Gaussian is small: 0.015 nats "
        "per person.",
        None,
        _link("mixture", half=120),
        _link("mixture"),
    ),
    Lesson(
        "diagonal",
        "A q that can’t tilt",
        "A VAE's q has a diagonal covariance. It is trained by KL(q ‖ p) to follow this tilted p, "
        "with ρ = 0.95. How wide does it become?",
        ("As wide as p", "Wider, so that it covers p", "Much narrower than p"),
        2,
        "KL(q ‖ p) punishes q wherever p is small, so q stays inside: √(1 − ρ²) = 31 % as wide as "
        "p. It costs 1.16 nats, and q says that there is less spread than there is.",
        diagonal_stays_inside,
        _narrow(),
        {"gaussians.view": "diagonal", "gaussians.rho": f"{TILT}"},
    ),
)
