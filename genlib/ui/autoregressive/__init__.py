"""The pages on pixel-by-pixel models."""
