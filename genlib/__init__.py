"""genlib: see how generative models work by moving things inside them."""
