"""The people and the curve of the foundations: what was published, and what is generated."""

from __future__ import annotations

import numpy as np
import pytest

from genlib.data.adults import COUNT, MEASURED, adults
from genlib.data.curve import ERROR, noisy_curve, true_curve


def test_a_thousand_adults_in_the_proportion_of_the_source() -> None:
    people = adults()
    assert people.shape == (COUNT, 3) and adults() is people
    share = MEASURED[1].people / sum(group.people for group in MEASURED)
    assert people[:, 2].mean() == pytest.approx(share, abs=0.001)
    assert set(np.unique(people[:, 2])) == {0.0, 1.0}
    assert people[:50, 2].std() > 0.3  # in random order
    with pytest.raises(ValueError, match="read-only"):
        people[0, 0] = 1


@pytest.mark.parametrize("label", [0, 1])
def test_a_group_has_the_published_mean_and_covariance(label: int) -> None:
    x, group = adults()[adults()[:, 2] == label][:, :2], MEASURED[label]
    deviation = np.sqrt(np.diag(group.covariance))
    assert (np.abs(x.mean(axis=0) - group.mean) < 3 * deviation / np.sqrt(len(x))).all()
    found = np.cov(x.T)
    assert found == pytest.approx(group.covariance, rel=0.2)
    assert np.corrcoef(x.T)[0, 1] == pytest.approx(group.correlation, abs=0.1)


def test_the_curve_has_the_error_that_it_names() -> None:
    z, x = noisy_curve().T
    assert z.min() >= 0 and z.max() <= 10
    assert (x - true_curve(z)).std() == pytest.approx(ERROR, rel=0.15)
