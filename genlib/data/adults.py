"""Height and weight of 1,000 adults, generated from the published measurements of 507.

Source: Heinz, Peterson, Johnson & Kerr 2003, "Exploring Relationships in Body Dimensions", Journal
of Statistics Education 11(2), doi 10.1080/10691898.2003.11910711: 260 women and 247 men, physically
active, measured at San José, at Monterey and in fitness clubs of California. MEASURED holds means,
standard deviations (divided by n - 1) and correlations, rounded, which we computed from the paper's
data as R's package openintro carries them (bdims). The people here are not those 507:
each is drawn from the Gaussian of her or his group. What is simplified: real weights are skewed to
the right, a Gaussian isn't; and national surveys find heavier people.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

COUNT = 1000
SEED = 11


@dataclass(frozen=True)
class Population:
    """What was measured in one group: means and standard deviations in cm and kg."""

    name: str
    people: int
    height: float
    weight: float
    height_sd: float
    weight_sd: float
    correlation: float

    @property
    def mean(self) -> NDArray[np.float64]:
        """(2,): cm, kg."""
        return np.array([self.height, self.weight])

    @property
    def covariance(self) -> NDArray[np.float64]:
        """(2, 2): cm², cm kg; cm kg, kg²."""
        sd = np.array([self.height_sd, self.weight_sd])
        return np.outer(sd, sd) * np.array([[1.0, self.correlation], [self.correlation, 1.0]])


MEASURED = (
    Population("women", 260, 164.87, 60.60, 6.54, 9.62, 0.431),
    Population("men", 247, 177.75, 78.14, 7.18, 10.51, 0.535),
)


@cache
def adults() -> NDArray[np.float64]:
    """(1000, 3): height in cm and weight in kg, both to a tenth; 0 for a woman, 1 for a man.

    Women and men in the proportion of the source, in random order, the same every time.
    """
    rng = np.random.default_rng(SEED)
    share = MEASURED[0].people / sum(group.people for group in MEASURED)
    counts = (round(COUNT * share), COUNT - round(COUNT * share))
    parts = [
        np.column_stack(
            [rng.multivariate_normal(group.mean, group.covariance, n).round(1), np.full(n, label)]
        )
        for label, (group, n) in enumerate(zip(MEASURED, counts, strict=True))
    ]
    people = rng.permutation(np.concatenate(parts))
    people.setflags(write=False)
    return people
