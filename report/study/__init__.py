"""The study file: what an experiment is, checked before anything runs."""
