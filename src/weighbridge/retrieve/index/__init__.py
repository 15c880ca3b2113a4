"""Documents into an index, and an index brought up to date."""
