"""One module per kind of figure; drawn from tables, never from models."""
