"""The learning rate over a training."""

from __future__ import annotations

import math

from genlib.settings import TrainSettings


def learning_rate(settings: TrainSettings, share: float, lr: float | None = None) -> float:
    """The learning rate when ``share`` (0 to 1) of the training is done.

    Several cycles are warm restarts: Loshchilov & Hutter 2016, arXiv:1608.03983.
    """
    peak = settings.lr if lr is None else lr
    share = share if share >= 1 else share * settings.cycles % 1
    if settings.schedule == "cosine":
        return peak * max(0.5 * (1 + math.cos(math.pi * share)), 1e-4)
    if settings.schedule == "onecycle":  # Smith 2018, arXiv:1803.09820
        if share < 0.3:
            return peak * (0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * share / 0.3)))
        return peak * max(0.5 * (1 + math.cos(math.pi * (share - 0.3) / 0.7)), 1e-4)
    return peak
