"""All ways to learn from the same labels, for the table and for the curve."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st
import torch

from genlib import background
from genlib.background import Job
from genlib.data.datasets import to_float
from genlib.explore import few_labels, maps
from genlib.explore.few_labels import DRAWS, SIZES, Band, Classifier, Features, Guess, Labels
from genlib.explore.neighbours import Array
from genlib.files import write_json
from genlib.store.checkpoint import Info
from genlib.training.loop import build
from genlib.ui.foundations.few_labels import data
from genlib.ui.foundations.few_labels.data import FEATURES, Task
from genlib.ui.kit import loading

UNLABELLED, SUPERVISED = "all training images, without labels", "none: supervised"
NETWORK_STEPS = 60  # of the supervised network: it then fits its labels
NETWORK_SIZES = (10, 100, 1000)  # of the curve: a network takes seconds for each choice
SEED = 0

# Kingma et al. 2014, table 1: MNIST, 100 labels (10 of each class) and the other training images
# without labels; error on the 10,000 test images in per cent, and its spread over random choices.
PUBLISHED = {"M1 + TSVM": (11.82, 0.25), "M1 + M2": (3.33, 0.14)}
PUBLISHED_LABELS = 100
PUBLISHED_SOURCE = "Kingma et al. 2014, table 1, as reported"


@dataclass(frozen=True)
class Method:
    """One way to learn: what it is called, what it has seen of the unlabelled, how to guess."""

    name: str
    sees: str
    guess: Callable[[Labels], Guess]


def quick(info: Info, classifier: str) -> list[Method]:
    """The methods that answer in milliseconds."""
    names = {"Latents": f"latents of {info.name}", "PCA": "principal components"}
    spreads = classifier == "Label spreading"
    seen = {"Pixels": "the other digits on the map" if spreads else SUPERVISED}

    def on(features: Callable[[], Features], learn: Classifier) -> Callable[[Labels], Guess]:
        return lambda labels: learn(features(), labels)

    found = [
        Method(
            f"{classifier}, {names.get(kind, kind.lower())}",
            seen.get(kind, UNLABELLED),
            on(partial(load, info), few_labels.CLASSIFIERS[classifier]),
        )
        for kind, load in FEATURES.items()
    ]
    pixels = partial(data.pixels, info)
    if spreads:  # all three have seen digits without a label: one that has not
        learn = on(pixels, few_labels.logistic)
        found.append(Method("Logistic regression, pixels", SUPERVISED, learn))
    learn = on(pixels, few_labels.bayes)
    found.append(Method("Bayes' rule, a PCA for each class", f"{SUPERVISED}, generative", learn))
    for mixture in data.mixtures(info)[:1]:
        learn = on(partial(data.components, info, mixture), few_labels.by_components)
        found.append(Method(f"Bayes' rule, components of {mixture.name}", UNLABELLED, learn))
    return found


def network_info(info: Info) -> Info | None:
    """The shipped classifier of such images, whose layers the supervised network has."""
    same = [one for one in loading.checkpoints("Classifies") if one.dataset == info.dataset]
    return next(iter(same), None)


def network_name() -> str:
    """What the supervised network is called."""
    return "Convolutional network, from scratch"


def train_network(info: Info, labels: Labels, seed: int) -> Iterator[int | Array]:
    """Train on the labels alone; yields the steps done, at last the shares of the test pictures."""
    like, some, pictures = network_info(info), data.task(info), loading.pictures_of(info)
    if like is None:
        raise ValueError(f"no classifier of {info.dataset} is here whose layers could be used")
    model = build(like.family, {**like.config, "adversarial_eps": 0.0}, pictures, seed)
    x = to_float(torch.from_numpy(some.pictures[labels.rows]))
    y, rng = torch.from_numpy(labels.y), torch.Generator().manual_seed(seed)
    yield from few_labels.train_network(model, x, y, NETWORK_STEPS, rng)
    unseen = to_float(pictures.test_x[torch.from_numpy(some.test_rows)])
    yield few_labels.network_shares(model, unseen)


# ------------------------------------------------------------------------------------ the curve


def curve_name(info: Info, classifier: str) -> str:
    """The name of the job that computes the curve."""
    return f"few-labels {info.stamp} {classifier}"


def curve(info: Info, classifier: str) -> Callable[[Job], dict[str, Band]]:
    """The work of that job: accuracy of each method against the number of labels.

    20 random choices for each number, the same for all methods, and all measured on the same test
    pictures. Its result grows: name -> Band.
    """

    def work(job: Job) -> dict[str, Band]:
        some, found = data.task(info), dict[str, Band]()
        chosen = {size: choices(some, size) for size in SIZES if size <= len(some.rows) // 2}
        ways: list[tuple[str, Way, tuple[int, ...]]]
        ways = [(m.name, _quick_way(m, some), SIZES) for m in quick(info, classifier)]
        if network_info(info) is not None:
            ways.append((network_name(), _network_way(info, some), NETWORK_SIZES))
        steps = [(name, way, n) for name, way, sizes in ways for n in sizes if n in chosen]
        for k, (name, way, size) in enumerate(steps):
            values = []
            for c, labels in enumerate(chosen[size]):
                share = (k + c / DRAWS) / len(steps)
                job.report(share, f"{name}: {size} labels, choice {c + 1}")
                values.append(way(labels, job))
            band = found.get(name, Band((), (), (), (), 0)).after(size, values)
            found = {**found, name: band}
            job.report((k + 1) / len(steps), f"{name}: {size} labels", found)
        return found

    return work


def stored_file(info: Info) -> Path:
    """Where the curve of a shipped model is kept: next to its checkpoint."""
    return info.path.with_suffix(".labels.json")


def stored(info: Info, classifier: str) -> dict[str, Band] | None:
    """The curve that was computed beforehand for exactly these weights, if there is one."""
    found = _stored(info).get(classifier) if stored_file(info).exists() else None
    return found or None


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=loading.BY_FILE)
def _stored(info: Info) -> dict[str, dict[str, Band]]:
    """By classifier; empty for a checkpoint that has changed since, or for other pictures."""
    kept = json.loads(stored_file(info).read_text(encoding="utf-8"))
    if kept["weights"] != maps.digest(info.path) or data.task(info).dataset != kept["pictures"]:
        return {}
    return {
        classifier: {name: _band(**band) for name, band in bands.items()}
        for classifier, bands in kept["curves"].items()
    }


def _band(
    sizes: list[int], mean: list[float], low: list[float], high: list[float], draws: int
) -> Band:
    return Band(tuple(sizes), tuple(mean), tuple(low), tuple(high), draws)


def store_curves(info: Info, curves: Mapping[str, Mapping[str, Band]]) -> None:
    """Keep curves, by classifier, next to the checkpoint; shares to five digits."""

    def rounded(band: Band) -> dict[str, object]:
        return {
            name: [round(x, 5) for x in values] if isinstance(values, tuple) else values
            for name, values in asdict(band).items()
        }

    kept = {
        "weights": maps.digest(info.path),
        "pictures": data.task(info).dataset,
        "curves": {
            c: {name: rounded(b) for name, b in bands.items()} for c, bands in curves.items()
        },
    }
    write_json(stored_file(info), kept)


def choices(some: Task, size: int) -> list[Labels]:
    """The random choices of so many labels, the same for all methods."""
    rng = np.random.default_rng([SEED, size])
    return [few_labels.balanced(some.y, len(some.classes), size, rng) for _ in range(DRAWS)]


Way = Callable[[Labels, Job], float]


def _quick_way(method: Method, some: Task) -> Way:
    return lambda labels, job: few_labels.accuracy(method.guess(labels).test, some.test_y).value


def _network_way(info: Info, some: Task) -> Way:
    def way(labels: Labels, job: Job) -> float:
        for found in train_network(info, labels, SEED):
            if not isinstance(found, int):
                return few_labels.accuracy(found, some.test_y).value
            job.report(job.share, job.text)  # ends here when it is cancelled
        raise AssertionError("training yields its result at last")

    return way


def network_job(info: Info, labels: Labels) -> tuple[str, Callable[[Job], float]]:
    """Name and work of the job that trains the network on these labels: its test accuracy."""
    key = ",".join(f"{r}.{y}" for r, y in zip(labels.rows, labels.y, strict=True))
    some = data.task(info)

    def work(job: Job) -> float:
        for found in train_network(info, labels, SEED):
            if isinstance(found, int):
                job.report(0.9 * found / NETWORK_STEPS, f"step {found} of {NETWORK_STEPS}")
            else:
                return few_labels.accuracy(found, some.test_y).value
        raise AssertionError("training yields its result at last")

    return f"few-labels network {info.stamp} {key}", work


def network_result(info: Info, labels: Labels) -> float | None:
    """The accuracy of the network on these labels, where it has been trained."""
    job = background.find(network_job(info, labels)[0])
    return job.result if job is not None and isinstance(job.result, float) else None


def published() -> Mapping[str, float]:
    """The published accuracies at 100 labels, in [0, 1]."""
    return {name: 1 - error / 100 for name, (error, _) in PUBLISHED.items()}
