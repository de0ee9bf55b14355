"""Which pages can show a model, and the link that opens it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from genlib.evaluate.bench import LIKELIHOODS
from genlib.store.checkpoint import Info
from genlib.ui.kit import likelihoods as likelihood_data

DIGITS = (1, 28)  # channels and side of the images that some pages take


def _able(*capabilities: str) -> Callable[[Info], bool]:
    wanted = frozenset(capabilities)
    return lambda info: wanted <= info.capabilities


def _sees_digits(info: Info) -> bool:
    return (info.config.get("channels"), info.config.get("image_size")) == DIGITS


def _has_likelihood(info: Info) -> bool:
    return any(kind.needs in info.capabilities for kind in LIKELIHOODS.values())


def _is_mixture_of_digits(info: Info) -> bool:
    return _sees_digits(info) and _able("HasComponents", "Samples")(info)


@dataclass(frozen=True)
class Place:
    """A page that can show some models. parameter: its query parameter for a model, "" if it
    shows all of them at once."""

    page: str
    title: str
    icon: str
    parameter: str
    shows: Callable[[Info], bool]

    def query(self, info: Info) -> dict[str, str]:
        """The query parameters that choose a model, ``info`` as in ``loading.checkpoints``."""
        if not self.parameter:
            return {}
        found = {self.parameter: info.name}
        if self.parameter == "likelihood.model":  # the bench sorts models by their test images
            found["likelihood.data"] = likelihood_data.images_of(info)
        return found


PLACES = (
    Place("latents/latent_space.py", "Latent space", "tune", "latent_space.model",
          _able("Encodes", "Decodes")),
    Place("latents/latent_map.py", "Latent map", "scatter_plot", "map.model", _able("Encodes")),
    Place("latents/reconstructions.py", "Reconstructions", "compare", "reconstructions.models",
          _able("Reconstructs")),
    Place("energy/denoise.py", "Denoise", "auto_fix_high", "denoise.model", _able("Denoises")),
    Place("energy/merged_digits.py", "Merged digits", "join_inner", "merged.models",
          _able("Reconstructs", "HasEnergy")),
    Place("adversarial/gan.py", "GAN", "swords", "gan.model",
          _able("Judges", "StepsApart", "Decodes")),
    Place("adversarial/gan_vs_vae.py", "GAN against VAE", "compare_arrows", "versus.gan",
          _able("Judges", "Samples")),
    Place("adversarial/gan_vs_vae.py", "GAN against VAE", "compare_arrows", "versus.vae",
          _able("Bounds", "Samples")),
    Place("adversarial/ebgan.py", "Energy-based GAN", "bolt", "ebgan.model",
          _able("HasMargin", "Samples")),
    Place("boltzmann/rbm.py", "RBM and DBN", "hub", "rbm.model", _able("Stacked")),
    Place("autoregressive/pixelcnn.py", "PixelCNN", "grid_on", "pixelcnn.model",
          _able("Autoregressive")),
    Place("side_by_side/one_digit.py", "One digit", "view_module", "", _sees_digits),
    Place("side_by_side/likelihood.py", "Likelihood bench", "leaderboard", "likelihood.model",
          _has_likelihood),
    Place("side_by_side/pca.py", "PCA and mixtures", "scatter_plot", "pca.mixture",
          _is_mixture_of_digits),
    Place("classifiers/class_images.py", "Class images", "landscape", "class_images.network",
          _able("Classifies")),
    Place("classifiers/deep_dream.py", "DeepDream", "nights_stay", "deep_dream.network",
          _able("Classifies")),
)  # fmt: skip


def places(info: Info) -> list[Place]:
    """The pages that can show a model, in the order of the menu."""
    return [place for place in PLACES if place.shows(info)]


def links(info: Info) -> None:
    """One link for each page that can show a model, ``info`` as in ``loading.checkpoints``."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Open it in", width="content")
        for place in places(info):
            st.page_link(
                place.page,
                label=place.title,
                icon=f":material/{place.icon}:",
                query_params=place.query(info),
            )
