"""The lessons of the section Foundations, one module for each page."""
