"""The pages about GANs and energy-based GANs."""
