"""The GAN page: samples and scores, training curves, a duel step by step."""
