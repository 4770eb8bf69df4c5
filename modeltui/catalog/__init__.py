"""The catalog of what could be pulled: the bundled one, the refreshed one, and the user's own files."""
