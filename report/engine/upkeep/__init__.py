"""Look after a cache: remove what nobody needs, and find what is damaged."""
