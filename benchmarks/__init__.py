"""Timings of ours beside what people would do instead; no part of the test run."""
