"""The page on PCA and mixtures."""
