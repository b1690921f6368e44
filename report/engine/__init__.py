"""Run stages whose results are cached by content."""
