"""Latent map: the codes of many digits on a flat map, coloured by what they are."""

import streamlit as st

from genlib.ui.components import history
from genlib.ui.components.decoder_store import store
from genlib.ui.components.latent_map import Cloud, latent_map, selected
from genlib.ui.kit import links
from genlib.ui.kit.jobs import polled
from genlib.ui.kit.pickers import try_this
from genlib.ui.kit.stage import header
from genlib.ui.latents.latent_map import data, flow, panels
from genlib.ui.latents.latent_map.panels import pick_choice

KEY = history.of_this_visit("map.canvas")

header(
    "Latent map",
    "Every test digit becomes a code, a point with as many coordinates as the model has latents. "
    "Flattened to two dimensions, the codes show what the model has sorted without ever being "
    "told a label: colours are the labels, and come only afterwards.",
    r"\min_{y}\ \mathrm{KL}(P \,\Vert\, Q) = \sum_{i \neq j} p_{ij} \log \frac{p_{ij}}{q_{ij}}, "
    r"\quad p_{ij} \propto e^{-\lVert z_i - z_j \rVert^2 / 2 \sigma_i^2}, "
    r"\quad q_{ij} \propto \frac{1}{1 + \lVert y_i - y_j \rVert^2}",
    "t-SNE: van der Maaten & Hinton 2008, by openTSNE. p is symmetrised over i and j; the "
    "perplexity sets σ. Lecture text “Autoencoders to GANs”, figure 8",
)

choice = pick_choice()
last, some = choice.last, choice.points
pictures = f"pictures:{some.name}"
store(pictures, data.pictures_message(pictures, some.pictures))


def live() -> bool:
    """The map and its panels; returns whether the page has to look again by itself."""
    row = st.container(horizontal=True, gap="medium")
    left, right = row.container(key="map_left"), row.container(key="map_right", width=330)
    with left:
        epoch = flow.choose_epoch(choice.epochs)
        flat = flow.flat_map(choice, epoch)
    info = choice.epochs[epoch]
    z = data.codes(info, some)
    selection = selected(KEY, some.numbers, links.number("map.pick", -1))
    if selection.picked is not None:
        st.query_params["map.pick"] = str(some.numbers[selection.picked])
    else:
        st.query_params.pop("map.pick", None)
    near = panels.nearest_codes(z, selection.picked)
    with right:
        stars = panels.show_side(info, choice, z, flat, selection, near)
    with left:
        if flat is None:
            st.container(height=640, border=True).caption(
                f"The map of epoch {epoch} comes in a moment."
            )
        else:
            codes = f"codes:{info.stamp}:{some.name}"
            message = data.codes_message(codes, info, z)
            if message:
                store(codes, message)
            linear = flat.linear
            axes = {"PCA": ("PC 1", "PC 2"), "Latents": ("z₁", "z₂")}.get(choice.kind)
            cloud = Cloud(
                flat.positions, some.labels, some.numbers, some.classes,
                space=f"{choice.kind}:{choice.last.path}", pictures=pictures,
                codes=codes if message else "", linear=linear, axes=axes,
                title=f"{last.name}, epoch {epoch}, {choice.kind}"
                + ("" if flat.ready else ", not finished"),
                file=f"{last.name}-epoch-{epoch}-{choice.kind}",
            )  # fmt: skip
            latent_map(KEY, cloud, selection=selection, rays=near.tolist(), stars=stars)
            st.download_button(
                "Coordinates (CSV)",
                panels.coordinates(some, flat.positions) if flat.ready else b"",
                f"{last.name}-epoch-{epoch}-{choice.kind}.csv",
                "text/csv",
                icon=":material/download:",
                key="map.csv",
                on_click="ignore",
                disabled=not flat.ready,
                help="Test image, class, x and y of every point."
                + ("" if flat.ready else " Ready when the map is finished."),
            )
    return flow.needs_polling(flat)


polled("map.polling", live, every=flow.POLL_SECONDS)

with st.expander("How to read it", icon=":material/menu_book:"):
    st.markdown(
        "Near points have similar codes, so the model draws them alike. **In a t-SNE map only "
        "nearness means something**: sizes of clusters, gaps between them and the axes do not. "
        "Zoom in and dots become pictures. Away from the points the picture beside the pointer is "
        "*decoded* from that place: exactly, where the map is a plane; from a blend of the "
        "nearest 8 codes in a t-SNE map. The 10-NN accuracy is computed from the codes themselves "
        "(leave one out), so it does not depend on how they are flattened; chance is about 10 %. "
        "Maps of earlier epochs start from that of the last one, which can make them look a "
        "little tidier than they are: trust the number, not the picture."
    )
try_this(
    [
        "Press **Play**. Where do classes part first? The untrained model of epoch 0 already "
        "separates some: random projections keep distances.",
        "Find a point of the wrong colour inside a cluster and click it. Would you have known?",
        "Compare the 10-NN accuracy of the latents with that of the pixels, for `vae-20` and "
        "`ae-30`.",
        "Place the model's own **samples**: do any fall between the clusters? Hover over them.",
    ]
)
