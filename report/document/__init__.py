"""Turn cached results into one source and that into HTML and PDF."""
