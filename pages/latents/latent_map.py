"""Latent map: the codes of many digits on a flat map, coloured by what they are."""

import streamlit as st

from genlib.ui.components import history
from genlib.ui.components.decoder_store import store
from genlib.ui.components.latent_map import Selection, latent_map, selected
from genlib.ui.kit import links, loading
from genlib.ui.kit.jobs import polled
from genlib.ui.kit.pickers import choose, no_model
from genlib.ui.kit.stage import header, how_to_read, stage
from genlib.ui.latents.latent_map import data, flow, panels
from genlib.ui.latents.latent_map.data import Points
from genlib.ui.latents.latent_map.flow import Choice, Flat
from genlib.ui.latents.latent_map.panels import pick_choice
from genlib.ui.latents.lessons import LATENT_MAP

KEY = history.of_this_visit("map.canvas")
PANES = {"one": "One epoch", "three": "Three epochs"}

header(
    "Latent map",
    "Every point is the code of a test digit. The model has never seen a label; the colours are "
    "added afterwards.",
    r"\min_{y}\ \mathrm{KL}(P \,\Vert\, Q) = \sum_{i \neq j} p_{ij} \log \frac{p_{ij}}{q_{ij}}, "
    r"\quad p_{ij} \propto e^{-\lVert z_i - z_j \rVert^2 / 2 \sigma_i^2}, "
    r"\quad q_{ij} \propto \frac{1}{1 + \lVert y_i - y_j \rVert^2}",
    "t-SNE: van der Maaten & Hinton 2008, by openTSNE. p is symmetrised over i and j; the "
    "perplexity sets σ. Lecture text “Autoencoders to GANs”, figure 8",
    lessons=LATENT_MAP,
)


def pick_three(choice: Choice) -> dict[int, Flat]:
    """The maps of three epochs if they are there and wanted next to each other; else {}."""
    three = flow.three_epochs(choice)
    show = choose(
        "Show",
        PANES,
        "map.panes",
        panels.THREE_EPOCHS if three else panels.NOT_ALL_THERE,
        wrap=True,
        disabled=not three,
    )
    return three if show == "three" else {}


def marked(some: Points) -> Selection:
    """What is picked and lassoed; the page's link names the picked test image."""
    selection = selected(KEY, some.numbers, links.number("map.pick", -1))
    picked = selection.picked
    links.show("map.pick", "" if picked is None else str(some.numbers[picked]))
    return selection


def live() -> bool:
    """The controls, the map and its panels; returns whether the page must look again by itself."""
    controls, picture = stage()
    with controls:
        choice = pick_choice()
        three = pick_three(choice)
    some = choice.points
    pictures = f"pictures:{some.name}"
    store(pictures, data.pictures_message(pictures, some.pictures))
    if three:
        with picture:
            panels.three(KEY, choice, three, pictures)
        st.session_state["map.playing"] = False
        return False
    with picture:
        epoch = flow.choose_epoch(choice)
        flat = flow.flat_map(choice, epoch)
    info = choice.epochs[epoch]
    z = data.codes(info, some)
    selection = marked(some)
    near = panels.nearest_codes(z, selection.picked)
    with controls:
        stars = panels.show_side(info, choice, z, flat, selection, near)
        file = f"{choice.last.name}-epoch-{epoch}-{choice.kind}"
        panels.download_coordinates(some, flat, f"{file}.csv")
    with picture:
        if flat is None:
            st.container(height=320, border=True).caption(
                f"The map of epoch {epoch} comes in a moment."
            )
        else:
            codes = f"codes:{info.stamp}:{some.name}"
            message = data.codes_message(codes, info, z)
            if message:
                store(codes, message)
            cloud = panels.cloud(choice, epoch, flat, pictures, codes if message else "", file)
            latent_map(KEY, cloud, selection=selection, rays=near.tolist(), stars=stars)
    return flow.needs_polling(flat)


if not loading.checkpoints("Encodes"):
    no_model("Encodes")
polled("map.polling", live, every=flow.POLL_SECONDS)

with how_to_read():
    st.markdown(
        "A code has as many coordinates as the model has latents; the map shows two. Near points "
        "have similar codes. **In a t-SNE map only nearness means something**: sizes of clusters, "
        "gaps between them and the axes do not. Zoom in and dots become pictures. Away from the "
        "points, the picture next to the pointer is *decoded* from that place: exactly, where the "
        "map is a plane; from a blend of the nearest 8 codes in a t-SNE map. The 10-NN accuracy is "
        "computed from the codes themselves (leave one out), so it doesn't depend on how they are "
        "flattened; chance is about 10%. Maps of earlier epochs are **aligned**: they start from "
        "the map of the last one, and most classes stay near their places. Trust the number for "
        "how well classes separate."
    )
