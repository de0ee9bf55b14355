"""The lessons of the pages that put models side by side, a module for each page."""
