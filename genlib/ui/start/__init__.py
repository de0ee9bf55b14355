"""Home: its gallery and the pictures in it."""
