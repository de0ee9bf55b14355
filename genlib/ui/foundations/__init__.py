"""The pages of the section Foundations."""
