"""What numpy, SciPy and scikit-learn say about Gaussians and regression, for the tests in node."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

from genlib.data.adults import adults
from genlib.ui.foundations.lessons.statistics import GAUSSIANS

Array = NDArray[np.float64]
FLOOR = 1e-4  # as in gaussian.js
PLACES = np.array([[150.0, 55.0], [165.3, 60.1], [171.0, 99.0], [190.0, 80.0]])


def flat(cov: Array) -> list[float]:
    return [float(cov[0, 0]), float(cov[0, 1]), float(cov[1, 1])]


def one_dimension() -> dict[str, object]:
    x = np.linspace(-6, 6, 49)
    cases = [(t, n) for t in (0.3, 1.0, 2.5, 12.0) for n in (1, 2, 5, 18, 499)]
    heights = adults()[:, 0]
    mu, sigma = heights.mean(), heights.std()
    return {
        "x": x.tolist(),
        "pdf": stats.norm(1.5, 2.0).pdf(x).tolist(),
        "cdf": stats.norm(1.5, 2.0).cdf(x).tolist(),
        "t": [[t, n, float(stats.t.cdf(t, n) - stats.t.cdf(-t, n))] for t, n in cases],
        "quantile": [
            [s, n, float(stats.t.ppf((1 + s) / 2, n))] for s in (0.5, 0.95) for _, n in cases
        ],
        "fit": [float(mu), float(sigma)],
        "meanLog": float(stats.norm(mu, sigma).logpdf(heights).mean()),
    }


def plane() -> dict[str, object]:
    """The Gaussian of everybody: fit, densities, conditional, and the two diagonal ones."""
    x = adults()[:, :2]
    mean, cov = x.mean(axis=0), np.cov(x.T, bias=True)
    g = stats.multivariate_normal(mean, cov)
    values, vectors = np.linalg.eigh(cov)
    slope = cov[0, 1] / cov[0, 0]
    other_mean, other = np.array([165.0, 66.0]), np.array([[60.0, 10.0], [10.0, 120.0]])
    inverse = np.linalg.inv(cov)
    away = mean - other_mean
    ratio = np.linalg.det(other) / np.linalg.det(cov)
    kl = 0.5 * (
        np.trace(np.linalg.solve(other, cov))
        + away @ np.linalg.solve(other, away)
        - 2
        + np.log(ratio)
    )
    return {
        "mean": mean.tolist(),
        "cov": flat(cov),
        "places": PLACES.tolist(),
        "logDensity": g.logpdf(PLACES).tolist(),
        "meanLog": float(g.logpdf(x).mean()),
        "correlation": float(np.corrcoef(x.T)[0, 1]),
        "conditional": [
            180.0,
            mean[1] + slope * (180 - mean[0]),
            (cov[1, 1] - slope * cov[0, 1]) ** 0.5,
        ],
        "axes": [float(v**0.5) for v in values[::-1]],
        "direction": (vectors[:, 1] * np.sign(vectors[0, 1])).tolist(),
        "diagonalLog": float(stats.norm(mean, x.std(axis=0)).logpdf(x).sum(axis=1).mean()),
        "q": (1 / np.diag(inverse)).tolist(),
        "other": {"mean": other_mean.tolist(), "cov": flat(other)},
        "kl": float(kl),
    }


def classes() -> dict[str, object]:
    """Bayes' rule with one Gaussian each, and logistic regression without a penalty."""
    people = adults()
    x, y = people[:, :2], people[:, 2]
    groups = [x[y == c] for c in (0, 1)]
    covs = [np.cov(g.T, bias=True) for g in groups]
    prior = float(y.mean())
    shared = (1 - prior) * covs[0] + prior * covs[1]

    def odds(c0: Array, c1: Array, at: Array) -> Array:
        logs = [
            stats.multivariate_normal(g.mean(axis=0), c).logpdf(at)
            for g, c in zip(groups, (c0, c1), strict=True)
        ]
        return np.log(prior) - np.log(1 - prior) + logs[1] - logs[0]

    middle, scale = x.mean(axis=0), x.std(axis=0)
    fitted = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit((x - middle) / scale, y)
    weights = fitted.coef_[0] / scale
    bias = float(fitted.intercept_[0] - weights @ middle)
    return {
        "prior": prior,
        "places": PLACES.tolist(),
        "odds": odds(*covs, PLACES).tolist(),
        "sharedOdds": odds(shared, shared, PLACES).tolist(),
        "accuracy": float(((odds(*covs, x) > 0) == (y == 1)).mean()),
        "bias": bias,
        "weights": weights.tolist(),
        "logisticAccuracy": float((((x @ weights + bias) > 0) == (y == 1)).mean()),
    }


def mixture() -> dict[str, object]:
    """Steps of scikit-learn's EM from the same start. No variance of theirs comes near a floor."""
    x = adults()[:, :2]
    cov = np.cov(x.T, bias=True)
    floor = FLOOR * np.diag(cov)
    means = x[[3, 14, 15]]
    runs = []
    for steps in (1, 2, 15):
        fitted = GaussianMixture(
            3,
            tol=0.0,
            max_iter=steps,
            reg_covar=0.0,
            weights_init=np.full(3, 1 / 3),
            means_init=means,
            precisions_init=np.repeat(np.linalg.inv(cov)[None], 3, axis=0),
        ).fit(x)
        runs.append(
            {
                "steps": steps,
                "means": fitted.means_.tolist(),
                "covs": [flat(c) for c in fitted.covariances_],
                "shares": fitted.weights_.tolist(),
                "logLikelihood": float(fitted.score(x)),
            }
        )
    return {"means": means.tolist(), "cov": flat(cov), "floor": floor.tolist(), "runs": runs}


def regression() -> list[dict[str, object]]:
    """Polynomials by numpy's least squares: a line, a cubic and degree 12, on few points."""
    people = adults()
    women = people[people[:, 2] == 0][:, :2]
    found = []
    for degree, n in ((1, 20), (3, 40), (12, 25), (15, 400)):
        z, x = women[:n].T
        low, high = z.min(), z.max()

        def basis(at: Array, low: float = low, high: float = high, degree: int = degree) -> Array:
            return np.polynomial.legendre.legvander(2 * (at - low) / (high - low) - 1, degree)

        phi = basis(z)
        weights = np.linalg.lstsq(phi, x, rcond=None)[0]
        sigma = float(np.sqrt(((x - phi @ weights) ** 2).mean()))
        at = np.linspace(low, high, 7)
        held = women[n : n + 100]
        logs = stats.norm(basis(held[:, 0]) @ weights, sigma).logpdf(held[:, 1])
        hat = np.linalg.pinv(phi)
        leverage = ((basis(at) @ hat) ** 2).sum(axis=1)
        t = float(stats.t.ppf(0.975, n - degree - 1))
        spread = sigma * (n / (n - degree - 1)) ** 0.5
        found.append(
            {
                "degree": degree,
                "points": women[:n].tolist(),
                "held": held.tolist(),
                "at": at.tolist(),
                "predicted": (basis(at) @ weights).tolist(),
                "leverage": leverage.tolist(),
                "bands": [(t * spread * (leverage + more) ** 0.5).tolist() for more in (0, 1)],
                "sigma": sigma,
                "spread": spread,
                "heldOut": float(logs.mean()),
            }
        )
    return found


def given() -> dict[str, object]:
    """Everything, with the adults themselves: what the tests in tests/web read."""
    return {
        "adults": adults().tolist(),
        "oneDimension": one_dimension(),
        "plane": plane(),
        "classes": classes(),
        "mixture": mixture(),
        "regression": regression(),
        "mixtureLesson": dict(next(one for one in GAUSSIANS if one.key == "mixture").state),
    }
