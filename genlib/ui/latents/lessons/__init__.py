"""The lessons of the pages about latents, a module for each page."""
