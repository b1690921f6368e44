"""How few a study may have of something, and how many are reported one by one."""

MIN_CLASSES = 2
MIN_SEEDS = 3
"""Fewer trainings than these tell nothing of their spread."""
MOST_TOGETHER = 5
"""So many curves can be told apart in one panel, and so many models fit beside one another on a page."""
