"""The author's words: what may stand in them, what they quote, and how they get into the report."""
