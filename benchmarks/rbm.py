"""An epoch of genlib's RBM against scikit-learn's BernoulliRBM.

Same sizes (784-500), batches of 128, float32, learning rate, images (binarized once) and one thread
on both sides; they take turns in one process and medians of processor seconds are compared.
scikit-learn uses persistent chains, ours does contrastive divergence with one step: both make one
Gibbs step and two products for the gradient. Ours draws the pixels of each image anew as well.

    python benchmarks/rbm.py            12,000 images, three turns; a minute on one core
    python benchmarks/rbm.py --full     all 60,000 images
    python benchmarks/rbm.py --json     one JSON object on standard output
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # numpy reads it when it is imported
sys.path.insert(0, str(Path(__file__).parents[1]))

import torch  # noqa: E402
from sklearn.neural_network import BernoulliRBM  # noqa: E402

from genlib.data.datasets import Dataset, find_mnist, load, to_float  # noqa: E402
from genlib.models.layers import binarize  # noqa: E402
from genlib.settings import TrainSettings  # noqa: E402
from genlib.training import loop  # noqa: E402

BATCH, HIDDEN, LR = 128, 500, 0.05
TARGET = 1.4  # times faster


def theirs(data: Dataset) -> float:
    """Processor seconds of one epoch of BernoulliRBM."""
    x = binarize(to_float(data.train_x.flatten(1)), torch.Generator().manual_seed(0)).numpy()
    rbm = BernoulliRBM(
        n_components=HIDDEN, learning_rate=LR, batch_size=BATCH, n_iter=1, random_state=0
    )
    began = time.process_time()
    rbm.fit(x)
    return time.process_time() - began


def ours(data: Dataset) -> float:
    """Processor seconds of one epoch of genlib.training.loop."""
    settings = TrainSettings(
        epochs=1, batch_size=BATCH, lr=LR, precision="float32", threads=1, seed=0
    )
    model = loop.build("rbm", {"n_hidden": HIDDEN, "k": 1}, data, seed=0)
    began = time.process_time()
    for _ in loop.train(model, data, settings):
        pass
    return time.process_time() - began


def main() -> int:
    """Measure, print; 1 if the target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--full", action="store_true", help="all training images")
    parser.add_argument("--turns", type=int, default=3, help="epochs a side; medians are compared")
    options = parser.parse_args()
    if find_mnist() is None:
        print("MNIST is not here: set GENLIB_DATA or run `python -m genlib download mnist`.")
        return 2
    data = load("mnist").first(0 if options.full else 12_000)
    data = replace(data, test_x=data.test_x[:16], test_y=data.test_y[:16])  # no evaluation
    pairs = [(theirs(data), ours(data)) for _ in range(max(1, options.turns))]
    base, fast = (statistics.median(side) for side in zip(*pairs, strict=True))
    if options.json:
        found = {"images": len(data.train_x), "sklearn_s": base, "genlib_s": fast}
        print(json.dumps({**found, "ratio": base / fast, "target": TARGET}))
    else:
        verdict = "reached" if base / fast >= TARGET else "MISSED"
        print(
            f"RBM 784-{HIDDEN}, {len(data.train_x):,} images, processor seconds: scikit-learn "
            f"{base:.2f} -> genlib {fast:.2f}, {base / fast:.2f}x, target {TARGET}x: {verdict}"
        )
    return int(base / fast < TARGET)


if __name__ == "__main__":
    sys.exit(main())
