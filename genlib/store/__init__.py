"""Checkpoints, and the recipes by which the shipped ones were trained."""
