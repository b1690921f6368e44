"""Predictions, metrics and comparisons; nothing here imports TensorFlow."""
