"""The pages on gradient ascent: Class images and DeepDream."""
