"""Places an index can live in."""
