"""All output to the terminal."""
