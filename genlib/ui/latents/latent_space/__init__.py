"""The Latent space page: sliders, pad, traversals, walks, downloads."""
