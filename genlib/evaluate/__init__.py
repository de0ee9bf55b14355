"""Numbers that judge a trained model: likelihoods, Fréchet distances, energies, with errors."""
