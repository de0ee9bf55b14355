"""A network as a list of operations that a browser can carry out."""
