"""The pages about latent spaces."""
