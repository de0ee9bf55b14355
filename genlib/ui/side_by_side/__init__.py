"""The pages that put models side by side."""
