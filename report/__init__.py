"""Build the report of a chest X-ray image-classification study from cached results."""

from pathlib import Path

__version__ = "0.1.0"
PROJECT = Path(__file__).resolve().parents[1]
