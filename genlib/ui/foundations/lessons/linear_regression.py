"""The lessons of the page on linear regression, and the facts that they show.

The page's own numbers are computed in the browser; tests/web compares those with numpy and SciPy
on the same points, so that a fact may be computed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlib.data.adults import adults
from genlib.data.curve import noisy_curve
from genlib.ui.kit.lessons import Fact, Lesson

Array = NDArray[np.float64]
HELD = 400  # points on which the page judges a model
FEW, MANY = 25, 200  # women: the first 25 differ about as much as all of them do
AT = 165.0  # cm, where the bands are read
SEEN, SIMPLE, WILD = 40, 4, 12  # points of the curve; degrees
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
        """Half of the 95 % bands at z: of the curve, and of a new point."""
        from scipy import stats

        free = len(self.points) - self.degree - 1
        spread = (float((self.errors(self.points) ** 2).sum()) / free) ** 0.5
        row = self.basis(np.array([z])) @ np.linalg.pinv(self.basis(self.points[:, 0]))
        leverage, t = float((row**2).sum()), float(stats.t.ppf(0.975, free))
        return t * spread * leverage**0.5, t * spread * (1 + leverage) ** 0.5


def only_the_line_becomes_certain() -> Fact:
    """Eight times the women: half of the line's band goes, that of a woman stays about as wide."""
    few, many = (_Polynomial(_women(n), 1).half_widths(AT) for n in (FEW, MANY))
    said = f"± {few[0]:.1f} and ± {many[0]:.1f} kg, ± {few[1]:.0f} and ± {many[1]:.0f} kg"
    holds = many[0] < few[0] / 2 and abs(many[1] / few[1] - 1) < 0.07
    return Fact(holds and said == "± 3.4 and ± 1.2 kg, ± 17 and ± 16 kg", said)


def the_wild_one_learned_errors() -> Fact:
    """Degree 12 is ahead on its own points and far behind on new ones."""
    points = noisy_curve()
    seen, new = points[:SEEN], points[SEEN : SEEN + HELD]
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


def _link(view: str, **values: str) -> dict[str, str]:
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
        _link("error", bands="true", n=f"{MANY}", pz=f"{AT:g}"),
        _link("error", bands="true", n=f"{FEW}", pz=f"{AT:g}"),
    ),
    Lesson(
        "overfit",
        "Closer to the points",
        "Model A is a polynomial of degree 4, model B one of degree 12, closer to the points of "
        "the fit. Which of them finds new points likelier?",
        ("A, degree 4", "B, degree 12", "Both about equally"),
        0,
        "B has learned the errors of its 40 points by heart: −1.00 nats each on those, against "
        "−1.15 for A. New points have other errors. There B reaches −6.03 and A −1.42: held-out "
        "log-likelihood tells them apart.",
        the_wild_one_learned_errors,
        _link("compare", data="curve", n=f"{SEEN}", a=f"{SIMPLE}", b=f"{WILD}"),
        _link("line", data="curve"),
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
        _link("generate", error="false"),
        _link("generate"),
    ),
    Lesson(
        "both_ways",
        "The other way round",
        "This line predicts weight from height. Now predict height from weight, by least squares. "
        "Is it the same line?",
        ("Yes, read the other way", "No, a steeper one", "No, a flatter one"),
        1,
        "Least squares counts errors along what is predicted, so the two lines differ: 0.60 and "
        "3.40 kg per cm. If neither is given, errors count at right angles, and the line between "
        "both is PCA's.",
        two_regressions,
        _link("limit", errors="z"),
        _link("limit"),
    ),
)
