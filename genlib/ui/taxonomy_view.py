"""The map of models as HTML, and the pictures in it, drawn by the models themselves."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import torch
from numpy.typing import NDArray

from genlib.checkpoint import CheckpointError, Info
from genlib.datasets import to_float
from genlib.models.base import Reconstructs, Samples
from genlib.ui import jobs, loading
from genlib.ui.images import data_url, grid_image
from genlib.ui.taxonomy_data import ALL, BESIDE, TIMELINE, TREE, Branch, Node

SHOWN = 3  # images in a picture
Pictures = dict[str, str]  # name of a node -> address of its picture


def drawn(infos: list[Info]) -> jobs.Job:
    """The job that draws every node's picture; its result grows: Pictures."""
    stamp = " ".join(f"{info.path}:{info.mtime_ns}" for info in infos)
    return jobs.request(f"map-of-models {stamp}", lambda job: _draw(job, infos))


def _draw(job: jobs.Job, infos: list[Info]) -> Pictures:
    pictures: Pictures = {}
    for done, node in enumerate(ALL):
        job.report(done / len(ALL), node.name, pictures)
        for info in [i for family in node.families for i in infos if i.family == family]:
            try:
                image = picture(info)
            except CheckpointError:
                continue  # deleted or damaged: another one of the family may do
            if image is not None:
                pictures = {**pictures, node.name: data_url(image)}
                break
    return pictures


@torch.no_grad()
def picture(info: Info) -> NDArray[np.uint8] | None:
    """Three images by a model side by side: samples, else reconstructions; None if it has none."""
    model = loading.model(info)
    device = next(model.parameters()).device
    if isinstance(model, Reconstructs) and "Encodes" in info.capabilities:
        data = loading.pictures_of(info)
        x = to_float(data.test_x[:SHOWN]).to(device)
        return grid_image(model.reconstruct(x), SHOWN, gap=1, background=0)
    if isinstance(model, Samples):
        x = model.sample(SHOWN, torch.Generator().manual_seed(3))
        return grid_image(x, SHOWN, gap=1, background=0)
    return None


def tree_html(pictures: Mapping[str, str], address: Mapping[str, str]) -> str:
    """Both trees as nested boxes. address: page file -> its path in the address bar."""
    return (
        f'<div class="tree">{_branch(TREE, pictures, address, 0)}'
        f"{_branch(BESIDE, pictures, address, 0)}</div>"
    )


def timeline_html(address: Mapping[str, str]) -> str:
    """All models by year."""
    return f'<ol class="time">{"".join(_moment(node, address) for node in TIMELINE)}</ol>'


def _branch(
    branch: Branch, pictures: Mapping[str, str], address: Mapping[str, str], depth: int
) -> str:
    below = "".join(
        _node(child, pictures, address)
        if isinstance(child, Node)
        else _branch(child, pictures, address, depth + 1)
        for child in branch.below
    )
    kind = "leaves" if isinstance(branch.below[0], Node) else "split"
    return (
        f'<section class="depth{depth}" style="flex-grow:{branch.weight}">'
        f"<h4>{escape(branch.title)}</h4><p>{escape(branch.text)}</p>"
        f'<div class="{kind}">{below}</div></section>'
    )


def _node(node: Node, pictures: Mapping[str, str], address: Mapping[str, str]) -> str:
    image = pictures.get(node.name)
    shown = f'<img alt="" src="{image}">' if image else ""
    words = f"<b>{escape(node.name)}</b><small>{node.year} · {escape(node.source)}</small>"
    return _linked(node, f"{shown}{words}", address, "node")


def _moment(node: Node, address: Mapping[str, str]) -> str:
    inner = f"<i>{node.year}</i><span>{escape(node.name)}</span>"
    return f"<li>{_linked(node, inner, address, 'moment')}</li>"


def _linked(node: Node, inner: str, address: Mapping[str, str], kind: str) -> str:
    if node.page not in address:
        title = f"{node.why} Not here yet."
        return f'<div class="{kind} absent" title="{escape(title)}">{inner}</div>'
    return (
        f'<a class="{kind}" href="{escape(address[node.page])}" '
        f'data-page="{escape(node.page)}" title="{escape(node.why)}">{inner}</a>'
    )
