"""What the predictions are worth: measures, curves and comparisons, from tables alone."""
