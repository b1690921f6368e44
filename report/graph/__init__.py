"""Draws the stages of a plan."""
