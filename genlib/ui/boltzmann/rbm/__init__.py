"""The RBM page: Gibbs chain, learning against the exact likelihood, measurements."""
