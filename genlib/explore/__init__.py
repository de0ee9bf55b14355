"""Look inside models. These functions know capabilities, never families, and no page."""
