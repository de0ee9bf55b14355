"""A curve with known noise: data for regression, with its true model.

x = 2 + 0.4 z + 2 sin(z) + error, with z uniform in [0, 10] and error from N(0, ERROR²). Generated
here; it stands for nothing that was measured.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

COUNT = 300
ERROR = 0.8  # standard deviation
SEED = 12


def true_curve(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) in [0, 10] -> (N,): x without its error."""
    return 2 + 0.4 * z + 2 * np.sin(z)


@cache
def noisy_curve() -> NDArray[np.float64]:
    """(300, 2): z and x, each to two decimals, the same every time."""
    rng = np.random.default_rng(SEED)
    z = rng.uniform(0, 10, COUNT)
    points = np.column_stack([z, true_curve(z) + ERROR * rng.standard_normal(COUNT)]).round(2)
    points.setflags(write=False)
    return points
