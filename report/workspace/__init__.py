"""From a request to a plan: studies, data, the cache, and the folders that are written."""
