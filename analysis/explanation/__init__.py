"""Where the score of a trained network comes from, and what its layers make of an image; no training reads any of it."""
