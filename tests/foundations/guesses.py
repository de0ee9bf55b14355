"""What few_labels.test.mjs needs: codes, labels, and what genlib/explore makes of them."""

from __future__ import annotations

import numpy as np

from genlib.explore import few_labels
from genlib.explore.few_labels import Features, Labels
from genlib.ui.components.few_labels import material_message
from genlib.ui.components.packet import as_text

CLASSES = ("0", "1", "2", "3")
BROWSER = ("Label spreading", "Nearest neighbour")


def given() -> dict[str, object]:
    """Four clouds of codes, from one label to many, and the guesses of the server's classifiers."""
    rng = np.random.default_rng(0)
    centres = 2.5 * rng.standard_normal((len(CLASSES), 6))
    y, test_y = rng.integers(len(CLASSES), size=300), rng.integers(len(CLASSES), size=500)
    pool, test = (
        (centres[of] + rng.standard_normal((len(of), 6))).astype(np.float32) for of in (y, test_y)
    )
    x = Features(pool, test)
    return {
        "material": as_text(material_message("some", x, test_y)),
        "cases": [_case(x, y, test_y, count) for count in (1, 2, 7, 60)],
    }


def _case(x: Features, y: np.ndarray, test_y: np.ndarray, count: int) -> dict[str, object]:
    labels = Labels(np.arange(count) * 3, y[::3][:count], len(CLASSES))
    pairs = [[int(row), int(y)] for row, y in zip(labels.rows, labels.y, strict=True)]
    expected = {}
    for name in BROWSER:
        guess = few_labels.CLASSIFIERS[name](x, labels)
        next_row = few_labels.least_certain(guess, labels)
        expected[name] = {
            "pool": as_text(guess.pool.astype(np.float32).tobytes()),
            "test": as_text(guess.test.astype(np.float32).tobytes()),
            "right": few_labels.accuracy(guess.test, test_y).value,
            "next": next_row.row,
        }
    return {"pairs": pairs, "expected": expected}
