"""Compute the curve that the Few labels page opens with, and keep it next to the checkpoint.

Accuracy against the number of labels for every method, 20 random choices each: about 20 minutes on
a busy core, most of them for the network. To be run again when vae-20, mixture-50, classifier or
the methods change; tests/foundations/test_few_labels.py recomputes some of its points.

    GENLIB_DATA=... python benchmarks/few_labels.py
"""

from __future__ import annotations

import time

from genlib import background
from genlib.ui.foundations.few_labels import methods
from genlib.ui.kit import loading

MODEL, CLASSIFIER = "vae-20", "Label spreading"  # what the page opens with


def main() -> None:
    info = next(one for one in loading.checkpoints("Encodes") if one.name == MODEL)
    job = background.request("curve", methods.curve(info, CLASSIFIER))
    while job.busy:
        print(f"{job.share:4.0%} {job.text}", flush=True)
        time.sleep(5)
    if not isinstance(job.result, dict) or job.error:
        raise SystemExit(job.error or f"the job was {job.state}")
    methods.store_curves(info, {CLASSIFIER: job.result})
    print(f"written to {methods.stored_file(info)}")


if __name__ == "__main__":
    main()
