"""What the Few labels page computes once and shares: pictures, features, the flat map.

A click must answer within a frame or two, so all that does not depend on the labels is cached.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from genlib.data.datasets import to_float
from genlib.explore import maps, pca, projection
from genlib.explore.few_labels import Features
from genlib.explore.neighbours import Array, Index
from genlib.models.capabilities import HasComponents
from genlib.store.checkpoint import Info
from genlib.ui.components import few_labels, latent_map
from genlib.ui.kit import loading

POOL = maps.POINTS  # pictures on the map, which may be labelled
NEAREST = "Nearest neighbour"  # the classifier of learn.js that needs the codes
MOST_TEST = 8000  # further test pictures, which only measure


@dataclass(frozen=True, eq=False)
class Task:
    """Test images in two parts, none of which any model was trained on.

    pool: on the map; rows (n,), their numbers in the test set (n,), pictures uint8 (n, C, H, W),
    classes y (n,). test: rows (m,) and classes test_y (m,) of the others, which only measure.
    """

    rows: Index
    numbers: NDArray[np.int32]
    pictures: NDArray[np.uint8]
    y: Index
    test_rows: Index
    test_y: Index
    classes: tuple[str, ...]
    dataset: str
    name: str
    row_of: dict[int, int] = field(default_factory=dict)


def task(info: Info) -> Task:
    """The pictures for a model, of the dataset and the classes that it knows."""
    return _task(info, loading.dataset().title)


@st.cache_resource(max_entries=4, show_spinner="Choosing the digits …", hash_funcs=loading.BY_FILE)
def _task(info: Info, source: str) -> Task:
    data = loading.pictures_of(info)
    total = min(len(data.test_x), projection.MAX_POINTS)
    chosen = maps.choose(data, loading.all_pictures_of(info), min(POOL, total // 2))
    others = np.setdiff1d(np.arange(total), chosen.rows)[:MOST_TEST]
    y = data.test_y.numpy().astype(np.int64)
    return Task(
        chosen.rows,
        chosen.numbers,
        chosen.pictures,
        y[chosen.rows],
        others,
        y[others],
        data.classes,
        data.name,
        f"{data.name}:{info.train.get('classes', '')}:{len(chosen.rows)}",
        {int(number): row for row, number in enumerate(chosen.numbers)},
    )


# Two: of 500 latents each is 20 MB, and quickly made again of the codes that all pages share.
@st.cache_resource(max_entries=2, show_spinner="Encoding the digits …", hash_funcs=loading.BY_FILE)
def latents(info: Info) -> Features:
    """Codes of the model: it has seen the training images, and no label."""
    some, z = task(info), loading.test_latents(info)
    return Features(z[some.rows], z[some.test_rows])


@st.cache_resource(max_entries=1, show_spinner=False, hash_funcs=loading.BY_FILE)  # 31 MB
def pixels(info: Info) -> Features:
    """The pixels themselves, in [0, 1]."""
    some, data = task(info), loading.pictures_of(info)

    def flat(rows: Index) -> Array:
        return to_float(data.test_x[torch.from_numpy(rows)]).flatten(1).numpy()

    return Features(flat(some.rows), flat(some.test_rows))


@st.cache_resource(
    max_entries=2,
    show_spinner="Finding the principal axes of all digits …",
    hash_funcs=loading.BY_FILE,
)
def axes(info: Info) -> Features:
    """Coordinates along as many principal axes of the training images as the model has latents."""
    found = pca.components(loading.pictures_of(info).train_x)
    d = min(latents(info).pool.shape[1], len(found.axes))
    seen = pixels(info)

    def along(x: Array) -> Array:
        return ((x - found.mean) @ found.axes[:d].T).astype(np.float32)

    return Features(along(seen.pool), along(seen.test))


FEATURES = {"Latents": latents, "PCA": axes, "Pixels": pixels}


@st.cache_resource(
    max_entries=2, show_spinner="Asking the mixture about each digit …", hash_funcs=loading.BY_FILE
)
def components(info: Info, mixture: Info) -> Features:
    """p(k | x) of a mixture that was fitted without labels, for the pictures of a model's task."""
    some, data = task(info), loading.pictures_of(info)
    model = loading.model(mixture)
    if not isinstance(model, HasComponents):
        raise TypeError(f"{mixture.name} has no components")

    def parts(rows: Index) -> Array:
        x = to_float(data.test_x[torch.from_numpy(rows)])
        with torch.no_grad():
            return np.concatenate(
                [loading.cpu(model.responsibilities(p.to(model.device))) for p in x.split(1000)]
            )

    return Features(parts(some.rows), parts(some.test_rows))


@st.cache_resource(max_entries=6, show_spinner="Finding the map …", hash_funcs=loading.BY_FILE)
def positions(info: Info) -> tuple[Array, str]:
    """Where the pool's digits are on the flat map (n, 2), and how it was made.

    The stored t-SNE where there is one; else the plane of largest variance, or two latents as they
    are.
    """
    some, z = task(info), latents(info).pool
    if z.shape[1] == 2:
        return projection.plain(z).positions, "the two latents as they are"
    stored = maps.read(info.path)
    chosen = maps.Chosen(some.rows, some.numbers, some.pictures)
    if stored is not None and stored.suits(chosen, maps.PERPLEXITY, maps.SEED):
        frame = stored.frame(max(stored.positions), info.path, info.path)
        if frame is not None:
            return frame.positions, "t-SNE of the latents, made without labels"
    return projection.pca(z).positions, "the plane of the latents' largest variance"


@st.cache_resource(max_entries=4, show_spinner="Laying out the pictures …")
def pictures_message(name: str, _pictures: NDArray[np.uint8]) -> bytes:
    """The pictures of the pool for the map's store."""
    return latent_map.pictures_message(name, _pictures)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=loading.BY_FILE)
def material_message(info: Info, kind: str, classifier: str) -> bytes:
    """What the browser learns from by itself, with these features by this classifier."""
    return few_labels.material_message(
        material_name(info, kind, classifier),
        FEATURES[kind](info),
        task(info).test_y,
        codes=classifier == NEAREST,
    )


def material_name(info: Info, kind: str, classifier: str) -> str:
    """Its name in the page's store."""
    return f"material:{info.stamp}:{task(info).name}:{kind}:{classifier}"


def mixtures(info: Info) -> list[Info]:
    """Mixtures that were fitted to the same kind of pictures."""
    return [
        one
        for one in loading.checkpoints("HasComponents")
        if one.dataset == info.dataset and not one.train.get("classes", "")
    ]
