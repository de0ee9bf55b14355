"""A fresh model for a dataset, with settings that fit its images; the learning-rate schedule."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from genlib.data.datasets import Dataset, batch_sizes
from genlib.models.base import FAMILIES, Model, ModelSettings
from genlib.models.capabilities import capabilities
from genlib.settings import TrainSettings


def configure(family: str, config: Mapping[str, object], data: Dataset) -> ModelSettings:
    """A family's settings for a dataset, whose shape and number of classes they follow.

    Raises ValueError for an unknown family, bad settings, or settings that contradict the pictures.
    """
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; known are {', '.join(FAMILIES)}")
    channels, size, _ = data.shape
    if "Classifies" in capabilities(family) and len(data.classes) < 2:
        raise ValueError(
            f"{data.title} has no classes to tell apart: sort the pictures into one folder a class"
        )
    follows = {"channels": channels, "image_size": size, "n_classes": len(data.classes)}
    known = {spec.name for spec in FAMILIES[family].Config.specs()}
    given = {name: value for name, value in follows.items() if name in known}
    settings = FAMILIES[family].Config.from_dict({**given, **config})
    for name, of_data in given.items():
        value = settings.to_dict()[name]
        # A classifier may know more classes than there are pictures of.
        if value != of_data and not (name == "n_classes" and int(str(value)) > of_data):
            raise ValueError(
                f"{name} follows from the pictures: it is {of_data} for {data.title}, got {value}; "
                "leave it out"
            )
    return settings


def chosen(data: Dataset, settings: TrainSettings) -> Dataset:
    """The images that the settings ask for; raises ValueError unless they can be trained on."""
    data = data.only(settings.classes).first(settings.limit)
    if not len(data.train_x) or not len(data.test_x):
        raise ValueError("no images are left to train on; widen classes or limit")
    if len(data.train_x) == 1:
        raise ValueError("only one image is left to train on; widen classes or limit")
    return data


def plan(model: Model, data: Dataset, settings: TrainSettings) -> int:
    """Tell the model how long its training on the ``chosen`` images is; returns the steps.

    Raises ValueError where that is too short for its family.
    """
    images = len(data.train_x)
    steps = settings.epochs * len(batch_sizes(images, settings.batch_size))
    model.plan(images, settings.epochs, steps)
    return steps


def check(
    family: str,
    config: Mapping[str, object],
    data: Dataset,
    training: TrainSettings | None = None,
) -> None:
    """Raise ValueError in one sentence unless the family can be trained on the dataset so."""
    settings = configure(family, config, data)
    try:
        with torch.device("meta"), torch.random.fork_rng():  # no numbers, only sizes
            model = FAMILIES[family](settings)
    except ValueError as error:
        size, title = f"{settings.image_size}×{settings.image_size}", FAMILIES[family].title
        kind = {1: "grey", 3: "colour"}.get(settings.channels, f"{settings.channels}-channel")
        raise ValueError(
            f"{title} cannot take {data.title} ({size} pixels, {kind}): {error}"
        ) from None
    if training is not None:
        plan(model, chosen(data, training), training)


def build(family: str, config: Mapping[str, object], data: Dataset, seed: int) -> Model:
    """A fresh model of a family for a dataset; its weights follow from the seed.

    Raises ValueError for an unknown family, bad settings, or images that the family cannot take.
    """
    check(family, config, data)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return FAMILIES[family](configure(family, config, data))


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
