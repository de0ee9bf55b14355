"""The lessons of Gaussians and of Linear regression, and the facts that they show.

The pages' own numbers are computed in the browser; tests/web compares those with numpy, SciPy and
scikit-learn on the same people and points, so that a fact may be computed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlib.data.adults import adults
from genlib.data.curve import noisy_curve
from genlib.ui.kit.lessons import Fact, Lesson

Array = NDArray[np.float64]

TALL = 180.0  # cm, the slice of a lesson
PERSON = (174.6, 69.3)  # cm and kg, near the border between the classes
FEW_MEN = 0.1  # the share of men in a room full of women
TILT = 0.95  # the correlation of the p that a VAE's q is to follow


def _people(sex: int | None = None) -> Array:
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


def _gaussians_link(view: str, **values: float) -> dict[str, str]:
    """The page's link: five digits are as many as it keeps."""
    numbers = {f"gaussians.{name}": f"{value:.5g}" for name, value in values.items()}
    return {"gaussians.view": view, **numbers}


def _log_density(x: Array, at: tuple[float, float]) -> float:
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
    """Between μ − σ and μ + σ lies 68% of the density, and of the heights about as much."""
    heights = _people()[:, 0]
    mu, sigma = heights.mean(), heights.std()
    share = float(((heights > mu - sigma) & (heights < mu + sigma)).mean())
    density = math.erf(1 / math.sqrt(2))
    holds = f"{density:.0%}" == "68%" and abs(share - density) < 0.04
    return Fact(holds, f"{density:.1%} of the density, {share:.1%} of the heights")


def height_narrows_weight() -> Fact:
    """Knowing the height takes about 30% off the spread of weight: from 13 to 9 kg."""
    fit = _fit()
    left = fit["sy"] * math.sqrt(1 - fit["rho"] ** 2)
    off = 1 - left / fit["sy"]
    holds = f"{fit['sy']:.0f} {left:.0f} {off:.0%} {fit['rho']:.2f}" == "13 9 30% 0.72"
    return Fact(holds, f"from {fit['sy']:.1f} to {left:.1f} kg, ρ = {fit['rho']:.3f}")


def prior_turns_the_verdict() -> Fact:
    """The same person is rather a man among as many men, and rather a woman among few."""
    equal, few = _man(float(adults()[:, 2].mean())), _man(FEW_MEN)
    holds = f"{equal:.0%}" == "66%" and f"{few:.0%}" == "18%"
    return Fact(holds, f"p(man) is {equal:.1%} at first and {few:.1%} with {FEW_MEN:.0%} men")


def diagonal_stays_inside() -> Fact:
    """The q of least KL(q ‖ p) is 31% as wide as p in every direction, for ρ = 0.95."""
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
    return {f"gaussians.{k}": v for k, v in ends.items()} | _gaussians_link(
        "one", mu=mu, sigma=sigma
    )


def _narrow() -> dict[str, str]:
    fit, left = _fit(), math.sqrt(1 - TILT**2)
    return _gaussians_link("diagonal", rho=TILT, qx=fit["sx"] * left, qy=fit["sy"] * left)


_AT_THE_BORDER = {"sx": PERSON[0], "sy": PERSON[1]}

GAUSSIANS = (
    Lesson(
        "one_sigma",
        "Within one standard deviation",
        "How many people are no further from the mean height than one standard deviation?",
        ("About half of them", "About two thirds", "About 95 in 100"),
        1,
        "68% of a Gaussian lies between μ − σ and μ + σ, whatever μ and σ are, and 95% within "
        "two. The grey bars are the people in the data: about the same share of them lies there.",
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
        "spread falls from 13 to 9 kg, by 30%. Its mean moves along the dashed line, which is "
        "linear regression.",
        height_narrows_weight,
        _gaussians_link("two", slice=TALL, **_fit()),
        _gaussians_link("two", slice=TALL, **{**_fit(), "rho": 0.0}),
    ),
    Lesson(
        "prior",
        "A room full of women",
        "Somebody of 174.6 cm and 69.3 kg is a man with probability 66%. Now you hear that nine "
        "in ten people in the room are women. What is your guess now?",
        ("Probably still a man", "Fifty-fifty", "Probably a woman"),
        2,
        "Bayes' rule multiplies p(x | y) by p(y). With one man in ten, p(man | x) falls from 66% "
        "to 18%, and the border moves. Logistic regression learned p(y | x) alone and stays.",
        prior_turns_the_verdict,
        _gaussians_link("classes", prior=FEW_MEN, **_AT_THE_BORDER),
        _gaussians_link("classes", **_AT_THE_BORDER),
    ),
    Lesson(
        "mixture",
        "No one told it who is who",
        "A mixture of two Gaussians sees 1,000 heights and weights, and no labels. For how many "
        "people does its grouping agree with the true labels?",
        ("About half, like tossing a coin", "Five in six", "All but a few"),
        1,
        "The likelihood is highest where one Gaussian takes most women and the other most men: "
        "84% agree. Nothing asked for that, and the gain over one Gaussian is small: 0.015 nats "
        "per person.",
        None,
        _gaussians_link("mixture", half=120),
        _gaussians_link("mixture"),
    ),
    Lesson(
        "diagonal",
        "A q that can't tilt",
        "A VAE's q has a diagonal covariance. It is trained by KL(q ‖ p) to follow this tilted p, "
        "with ρ = 0.95. How wide does it become?",
        ("As wide as p", "Wider, so that it covers p", "Much narrower than p"),
        2,
        "KL(q ‖ p) punishes q wherever p is small, so q stays inside: √(1 − ρ²) = 31% as wide as "
        "p. It costs 1.16 nats, and q understates the spread.",
        diagonal_stays_inside,
        _narrow(),
        {"gaussians.view": "diagonal", "gaussians.rho": f"{TILT}"},
    ),
)


HELD = 400  # points on which the page judges a model
FEW_WOMEN, MANY_WOMEN = 25, 200  # women: the first 25 differ about as much as all of them do
AT = 165.0  # cm, where the bands are read
SEEN_POINTS, SIMPLE, WILD = 40, 4, 12  # points of the curve; degrees
USUAL = 40  # women whom the page fits at first


def _women(n: int) -> Array:
    """(n, 2): height and weight of the first n women, as the page takes them."""
    people = adults()
    return people[people[:, 2] == 0][:n, :2]


@dataclass(frozen=True)
class _Polynomial:
    """Least squares on points (N, 2), in Legendre polynomials on their own range."""

    points: Array
    degree: int

    def basis(self, z: Array) -> Array:
        """(N,) -> (N, degree + 1)."""
        low, high = self.points[:, 0].min(), self.points[:, 0].max()
        return np.polynomial.legendre.legvander(2 * (z - low) / (high - low) - 1, self.degree)

    def predict(self, z: Array) -> Array:
        """(N,) -> (N,)."""
        weights = np.linalg.lstsq(self.basis(self.points[:, 0]), self.points[:, 1], rcond=None)[0]
        return self.basis(z) @ weights

    def errors(self, points: Array) -> Array:
        """(N,): observed minus predicted."""
        return points[:, 1] - self.predict(points[:, 0])

    def log_likelihood(self, points: Array) -> float:
        """Mean log p(x | z) in nats."""
        variance = float((self.errors(self.points) ** 2).mean())
        squares = self.errors(points) ** 2
        return float((-0.5 * (squares / variance + np.log(2 * np.pi * variance))).mean())

    def half_widths(self, z: float) -> tuple[float, float]:
        """Half of the 95% bands at z: of the curve, and of a new point."""
        from scipy import stats

        free = len(self.points) - self.degree - 1
        spread = (float((self.errors(self.points) ** 2).sum()) / free) ** 0.5
        row = self.basis(np.array([z])) @ np.linalg.pinv(self.basis(self.points[:, 0]))
        leverage, t = float((row**2).sum()), float(stats.t.ppf(0.975, free))
        return t * spread * leverage**0.5, t * spread * (1 + leverage) ** 0.5


def only_the_line_becomes_certain() -> Fact:
    """Eight times the women: half of the line's band goes, that of a woman stays about as wide."""
    few, many = (_Polynomial(_women(n), 1).half_widths(AT) for n in (FEW_WOMEN, MANY_WOMEN))
    said = f"± {few[0]:.1f} and ± {many[0]:.1f} kg, ± {few[1]:.0f} and ± {many[1]:.0f} kg"
    holds = many[0] < few[0] / 2 and abs(many[1] / few[1] - 1) < 0.07
    return Fact(holds and said == "± 3.4 and ± 1.2 kg, ± 17 and ± 16 kg", said)


def the_wild_one_learned_errors() -> Fact:
    """Degree 12 is ahead on its own points and far behind on new ones."""
    points = noisy_curve()
    seen, new = points[:SEEN_POINTS], points[SEEN_POINTS : SEEN_POINTS + HELD]
    simple, wild = (_Polynomial(seen, degree) for degree in (SIMPLE, WILD))
    own = simple.log_likelihood(seen), wild.log_likelihood(seen)
    held = simple.log_likelihood(new), wild.log_likelihood(new)
    said = " ".join(f"{x:.2f}" for x in (*own, *held))
    return Fact(own[1] > own[0] and held[0] > held[1] and said == "-1.15 -1.00 -1.42 -6.03", said)


def without_errors_too_regular() -> Fact:
    """Weights on the line spread by |ρ| times what real ones do."""
    women = _women(USUAL)
    model = _Polynomial(women, 1)
    real, line = float(women[:, 1].std()), float(model.predict(women[:, 0]).std())
    said = f"{real:.1f} kg real, {line:.1f} kg on the line, error {model.errors(women).std():.1f}"
    return Fact(line < real / 2 and said.startswith("9.3 kg real, 4.0") and "8.4" in said, said)


def two_regressions() -> Fact:
    """Weight from height and height from weight give lines of very different slope."""
    z, x = _women(60).T
    rho = float(np.corrcoef(z, x)[0, 1])
    forward, backward = rho * x.std() / z.std(), x.std() / z.std() / rho
    said = f"{forward:.2f} and {backward:.2f} kg per cm"
    return Fact(bool(backward > 3 * forward) and said.startswith("0.60 and 3.40"), said)


def _regression_link(view: str, **values: str) -> dict[str, str]:
    named = {f"linear_regression.{name}": value for name, value in values.items()}
    return {"linear_regression.view": view, **named}


LINEAR_REGRESSION = (
    Lesson(
        "bands",
        "Eight times the data",
        "A line is fitted to 25 women. The inner band says where the line may be, the outer one "
        "where a new woman may be. What happens with 200?",
        ("Both become narrow", "Only the inner one", "Only the outer one"),
        1,
        "The inner band holds what we don't know about the line. It falls from ± 3.4 to ± 1.2 kg "
        "at 165 cm: data tell us more. The outer one holds how people differ: ± 17 and ± 16 kg. "
        "No amount of data makes people equal.",
        only_the_line_becomes_certain,
        _regression_link("error", bands="true", n=f"{MANY_WOMEN}", pz=f"{AT:g}"),
        _regression_link("error", bands="true", n=f"{FEW_WOMEN}", pz=f"{AT:g}"),
    ),
    Lesson(
        "overfit",
        "Closer to the points",
        "Model A is a polynomial of degree 4, model B one of degree 12, closer to the points of "
        "the fit. Which of them gives new points the higher likelihood?",
        ("A, degree 4", "B, degree 12", "Both about equally"),
        0,
        "B has learned the errors of its 40 points by heart: −1.00 nats each on those, against "
        "−1.15 for A. New points have other errors. There B reaches −6.03 and A −1.42: held-out "
        "log-likelihood tells them apart.",
        the_wild_one_learned_errors,
        _regression_link("compare", data="curve", n=f"{SEEN_POINTS}", a=f"{SIMPLE}", b=f"{WILD}"),
        _regression_link("line", data="curve"),
    ),
    Lesson(
        "without_error",
        "No one is average",
        "You generate women from the line alone, without its error. How much do their weights "
        "spread, compared with real ones?",
        ("As much", "Less than half as much", "Twice as much"),
        1,
        "On the line there are only mean weights: they spread by 4.0 kg, real ones by 9.3. What is "
        "missing is the error, σ = 8.4 kg. A model that generates needs its error, a VAE's decoder "
        "too.",
        without_errors_too_regular,
        _regression_link("generate", error="false"),
        _regression_link("generate"),
    ),
    Lesson(
        "both_ways",
        "The other way round",
        "This line predicts weight from height. Now predict height from weight, by least squares. "
        "Is it the same line?",
        ("Yes, read the other way", "No, a steeper one", "No, a flatter one"),
        1,
        "Least squares measures errors along the predicted variable, so the two lines differ: 0.60 "
        "and 3.40 kg per cm. If neither is given, errors are measured perpendicular to the line, "
        "and the line between the two is PCA's.",
        two_regressions,
        _regression_link("limit", errors="z"),
        _regression_link("limit"),
    ),
)
