"""Gradient ascent on an image, live: lens, objectives, knobs, film."""
