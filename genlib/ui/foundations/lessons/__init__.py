"""The lessons of the foundations, by what computes their facts."""
