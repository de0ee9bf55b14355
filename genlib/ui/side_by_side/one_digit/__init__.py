"""The One digit page: what every model makes of one digit."""
