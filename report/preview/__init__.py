"""Live preview while writing."""
