"""The lessons of the foundations: one module per page."""
