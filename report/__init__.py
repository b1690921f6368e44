"""Build the report of a chest X-ray image-classification study from cached results."""

__version__ = "0.1.0"
