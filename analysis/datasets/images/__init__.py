"""Image files decoded to grey levels."""
