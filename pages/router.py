"""The router, which runs for every visitor and every page: page config, menu, footer."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from genlib.ui.components import history
from genlib.ui.kit import rights, server

st.set_page_config(
    page_title="genlib",
    page_icon=Path(server.__file__).with_name("icon.png"),
    layout="wide",
    initial_sidebar_state=240,
)

# section -> (file beside this one, title, icon, path in the address bar)
PAGES = {
    "Start": [
        ("start/home.py", "Home", "home", "home"),
    ],
    "Train": [
        ("train/train.py", "Train", "model_training", "train"),
        ("train/runs.py", "Runs", "stacked_line_chart", "runs"),
    ],
    "Latents": [
        ("latents/latent_space.py", "Latent space", "tune", "latent-space"),
        ("latents/latent_map.py", "Latent map", "scatter_plot", "latent-map"),
        ("latents/reconstructions.py", "Reconstructions", "compare", "reconstructions"),
    ],
    "Energy": [
        ("energy/denoise.py", "Denoise", "auto_fix_high", "denoise"),
        ("energy/merged_digits.py", "Merged digits", "join_inner", "merged-digits"),
    ],
    "Adversarial": [
        ("adversarial/gan.py", "GAN", "swords", "gan"),
        ("adversarial/gan_vs_vae.py", "GAN against VAE", "compare_arrows", "gan-against-vae"),
        ("adversarial/ebgan.py", "Energy-based GAN", "bolt", "energy-based-gan"),
    ],
    "Boltzmann": [
        ("boltzmann/rbm.py", "RBM and DBN", "hub", "rbm"),
    ],
    "Autoregressive": [
        ("autoregressive/pixelcnn.py", "PixelCNN", "grid_on", "pixelcnn"),
    ],
    "Side by side": [
        ("side_by_side/one_digit.py", "One digit", "view_module", "one-digit"),
        ("side_by_side/likelihood.py", "Likelihood bench", "leaderboard", "likelihood"),
        ("side_by_side/pca.py", "PCA and mixtures", "scatter_plot", "pca"),
        ("side_by_side/map_of_models.py", "Map of models", "account_tree", "map-of-models"),
    ],
    "Classifiers": [
        ("classifiers/class_images.py", "Class images", "landscape", "class-images"),
        ("classifiers/deep_dream.py", "DeepDream", "nights_stay", "deep-dream"),
    ],
}

server.tune()
server.style()
history.follow()
rights.show_what_was_said()

page = st.navigation(
    {
        section: [
            st.Page(
                file,
                title=title,
                icon=f":material/{icon}:",
                url_path=path,
                default=path == "home",
            )
            for file, title, icon, path in entries
        ]
        for section, entries in PAGES.items()
    },
    expanded=True,
)
try:
    server.check_environment()
    page.run()
finally:
    # Also after st.stop(); last, because by then a page has imported what it needs.
    server.footer()
    server.warm_up()
