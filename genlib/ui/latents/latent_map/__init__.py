"""The Latent map page: 2-D maps of codes, by epoch, with hover, lasso and decoding."""
