"""Datasets: MNIST, CIFAR-10, toys, and your own pictures."""
