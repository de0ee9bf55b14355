"""The pages on Boltzmann machines."""
