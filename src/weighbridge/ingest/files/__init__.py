"""Files found, told apart, read in worker processes, and remembered."""
