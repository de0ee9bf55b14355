"""The map of generative models: a tree of densities, a timeline, and where each model lives.

The map is HTML; the pictures in it are drawn by the models themselves. Sources: slides "Generative
taxonomy" (after Goodfellow 2016, arXiv:1701.00160) with their timeline; what came after 2016 is
named and greyed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from genlib import background
from genlib.background import Job
from genlib.data.datasets import to_float
from genlib.models.capabilities import Reconstructs, Samples
from genlib.store.checkpoint import CheckpointError, Info
from genlib.ui import menu
from genlib.ui.kit import loading
from genlib.ui.kit.images import data_url, grid_image
from genlib.ui.kit.web import component, said

SHOWN = 3  # images in a picture
FILES = [page.file for page in menu.PAGES]
Pictures = dict[str, str]  # name of a node -> address of its picture


def drawn(infos: list[Info]) -> Job:
    """The job that draws every node's picture; its result grows: Pictures."""
    stamp = " ".join(info.stamp for info in infos)
    return background.request(f"map-of-models {stamp}", lambda job: _draw(job, infos))


def _draw(job: Job, infos: list[Info]) -> Pictures:
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
    """Three images by a model side by side: samples, else reconstructions; None without either."""
    model = loading.model(info)
    device = model.device
    if isinstance(model, Reconstructs) and "Encodes" in info.capabilities:
        data = loading.pictures_of(info)
        x = to_float(data.test_x[:SHOWN]).to(device)
        return grid_image(model.reconstruct(x), SHOWN, gap=1, background=0)
    if isinstance(model, Samples):
        x = model.sample(SHOWN, torch.Generator().manual_seed(3))
        return grid_image(x, SHOWN, gap=1, background=0)
    return None


def clicked(key: str, html: str) -> str:
    """Show a part of the map; returns the page file whose link was clicked, or "".

    html: with links <a href="path" data-page="folder/file.py">. A click opens the page within the
    session, and in a new tab when asked to. Of what a browser sends, only pages of the menu count.
    """
    show = component("map_of_models", '<div class="taxonomy"></div>')
    show(key=key, data={"html": html}, on_open_change=lambda: _keep(key))
    wanted = st.session_state.pop(f"{key}.wanted", "")
    return wanted if isinstance(wanted, str) and wanted in FILES else ""


def _keep(key: str) -> None:
    """Keep what was clicked until a run of the page gets to it: a trigger is gone with the run that
    it started, and that run may end early because there are new pictures to show."""
    st.session_state[f"{key}.wanted"] = said(key, "open")


def tree_html(pictures: Mapping[str, str], marked: str = "") -> str:
    """What models p(x), or p(x, y), and what doesn't, as nested boxes.

    pictures: those drawn so far; marked: the name of a node.
    """
    related = "".join(_branch(tree, pictures, marked, 0) for tree in RELATED)
    whole = f'{_branch(TREE, pictures, marked, 0)}<div class="split">{related}</div>'
    return f'<div class="tree">{whole}</div>'


def timeline_html(marked: str = "") -> str:
    """All models by year; marked: the name of one."""
    return f'<ol class="time">{"".join(_moment(node, marked) for node in TIMELINE)}</ol>'


def _branch(branch: Branch, pictures: Mapping[str, str], marked: str, depth: int) -> str:
    below = "".join(
        _node(child, pictures, marked)
        if isinstance(child, Node)
        else _branch(child, pictures, marked, depth + 1)
        for child in branch.below
    )
    kind = "leaves" if isinstance(branch.below[0], Node) else "split"
    return (
        f'<section class="depth{depth}" style="flex-grow:{branch.weight}">'
        f"<h4>{escape(branch.title)}</h4><p>{escape(branch.text)}</p>"
        f'<div class="{kind}">{below}</div></section>'
    )


def _node(node: Node, pictures: Mapping[str, str], marked: str) -> str:
    image = pictures.get(node.name)
    shown = f'<img alt="" src="{image}">' if image else ""
    source = f'<span class="source"> · {escape(node.source)}</span>'
    words = f"<b>{escape(node.name)}</b><small>{node.year}{source}</small>"
    return _linked(node, f"{shown}{words}", _kind("node", node, marked))


def _moment(node: Node, marked: str) -> str:
    inner = f"<i>{node.year}</i><span>{escape(node.name)}</span>"
    return f"<li>{_linked(node, inner, _kind('moment', node, marked))}</li>"


def _kind(kind: str, node: Node, marked: str) -> str:
    return f"{kind} marked" if node.name == marked else kind


def _linked(node: Node, inner: str, kind: str) -> str:
    title = escape(node.why if node.page else f"{node.why} No page yet.")
    title = f'title="{title} {escape(node.source)}"'
    if node.page is None:
        return f'<div class="{kind} absent" {title}>{inner}</div>'
    place = f'href="{escape(node.page.path)}" data-page="{escape(node.page.file)}"'
    return f'<a class="{kind}" {place} {title}>{inner}</a>'


@dataclass(frozen=True)
class Node:
    """One kind of model: its year and source, the page where it lives (None if it is not here).

    families: whose checkpoints may draw its picture. ``why``: one sentence, shown on hover.
    """

    name: str
    year: int
    source: str
    why: str
    page: menu.Page | None = None
    families: tuple[str, ...] = ()


@dataclass(frozen=True)
class Branch:
    """A question answered one way: what is below shares the answer."""

    title: str
    text: str
    below: tuple[Branch | Node, ...]
    weight: int = 1  # of the width, next to its neighbours


PCA = Node(
    "Principal components",
    1901,
    "Pearson; Tipping & Bishop 1999",
    "One Gaussian, exact in closed form.",
    menu.page("pca"),
    ("pca",),
)
MIXTURE = Node(
    "Gaussian mixture",
    1977,
    "Dempster, Laird & Rubin (EM)",
    "Several Gaussians, each with its own kind of image.",
    menu.page("pca"),
    ("mixture",),
)
BOLTZMANN = Node(
    "Boltzmann machine",
    1985,
    "Ackley, Hinton & Sejnowski",
    "Binary units, all coupled. Exact only when tiny.",
    menu.page("rbm"),
    ("boltzmann",),
)
AUTOENCODER = Node(
    "Autoencoder",
    1986,
    "Rumelhart, Hinton & Williams",
    "Compresses and restores images. It has an energy, but no density.",
    menu.page("reconstructions"),
    ("autoencoder",),
)
RBM = Node(
    "Restricted Boltzmann machine",
    1986,
    "Smolensky; CD: Hinton 2002",
    "Two layers, no couplings inside them: whole layers are drawn at once.",
    menu.page("rbm"),
    ("rbm",),
)
DBN = Node(
    "Deep belief network",
    2006,
    "Hinton, Osindero & Teh",
    "RBMs on top of each other, trained one after the other.",
    menu.page("rbm"),
    ("dbn",),
)
DENOISING = Node(
    "Denoising autoencoder",
    2008,
    "Vincent et al.",
    "Learns to undo damage. Repeated, this is a Markov chain.",
    menu.page("denoise"),
    ("denoising",),
)
NADE = Node(
    "NADE",
    2011,
    "Larochelle & Murray",
    "An RBM turned into a product that can be computed exactly.",
)
VAE = Node(
    "Variational autoencoder",
    2013,
    "Kingma & Welling",
    "A bound on the likelihood, with an encoder that infers the latents.",
    menu.page("latent_space"),
    ("vae", "conv_vae"),
)
GSN = Node(
    "Generative stochastic network",
    2013,
    "Bengio et al.",
    "Learns one step of a Markov chain. It grew out of the denoising autoencoder.",
)
GAN = Node(
    "Generative adversarial network",
    2014,
    "Goodfellow et al.",
    "Only samples: a discriminator says how real they are.",
    menu.page("gan"),
    ("gan_mlp",),
)
FLOW = Node(
    "Nonlinear ICA, flows",
    2014,
    "Dinh et al. (NICE)",
    "An invertible net, exact by change of variables.",
)
DCGAN = Node(
    "DCGAN",
    2015,
    "Radford, Metz & Chintala",
    "A GAN of convolutions.",
    menu.page("gan"),
    ("dcgan_28", "dcgan_64"),
)
DIFFUSION = Node(
    "Diffusion",
    2015,
    "Sohl-Dickstein et al.; Ho et al. 2020",
    "Removes noise in many small steps. It has a variational bound.",
)
PIXELRNN = Node(
    "PixelRNN",
    2016,
    "van den Oord et al.",
    "Pixel by pixel with a memory: exact, slow to sample.",
    menu.page("pixelcnn"),
    ("pixelrnn",),
)
PIXELCNN = Node(
    "PixelCNN",
    2016,
    "van den Oord et al.",
    "Pixel by pixel with masked convolutions: exact.",
    menu.page("pixelcnn"),
    ("pixelcnn",),
)
EBGAN = Node(
    "Energy-based GAN",
    2016,
    "Zhao, Mathieu & LeCun",
    "The judge is an energy: low on data, up to a margin elsewhere.",
    menu.page("ebgan"),
    ("ebgan",),
)
CLASS_IMAGES = Node(
    "Class images",
    2013,
    "Simonyan et al.; DeepDream 2015",
    "A classifier knows p(y | x) alone. Gradient ascent on its score draws an image.",
    menu.page("class_images"),
)
STYLEGAN = Node("StyleGAN", 2018, "Karras, Laine & Aila", "Faces that do not exist.")

# The first question is what is modelled: how x comes about, with or without a label y, or the label
# of a given x alone. Laid out by hand: each line is a node, indented as the tree branches.
TREE = Branch(
    "Generative: p(x), or p(x, y) with labels",
    "Maximum likelihood brings p_model close to p_data. How do they define p(x)?",
    (
        Branch("Explicit density", "p(x) is written down", (
            Branch("Tractable", "and can be computed: linear Gaussians, fully visible belief nets, "
                   "changes of variables", (PCA, MIXTURE, PIXELRNN, PIXELCNN, NADE, FLOW), 2),
            Branch("Approximate", "but only a bound or an estimate can be computed", (
                Branch("Variational", "a bound", (VAE, DIFFUSION)),
                Branch("Markov chain", "an estimate", (BOLTZMANN, RBM, DBN)),
            ), 3),
        ), 5),
        Branch("Implicit density", "only samples", (
            Branch("Markov chain", "many steps", (GSN,)),
            Branch("Direct", "one step", (GAN, DCGAN, EBGAN, STYLEGAN), 2),
        ), 3),
    ),
)  # fmt: skip
RELATED = (
    Branch("Discriminative: p(y | x)", "They classify an image that is given.", (CLASS_IMAGES,)),
    Branch("Neither", "They restore images but define no density.", (AUTOENCODER, DENOISING), 2),
)


def nodes(branch: Branch) -> list[Node]:
    """All models below a branch, in order."""
    found: list[Node] = []
    for child in branch.below:
        found += [child] if isinstance(child, Node) else nodes(child)
    return found


ALL = tuple(node for tree in (TREE, *RELATED) for node in nodes(tree))
TIMELINE = tuple(sorted(ALL, key=lambda node: node.year))
