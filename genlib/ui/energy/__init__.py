"""The pages on denoising and energy."""
