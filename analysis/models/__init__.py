"""Architectures, training and prediction."""
