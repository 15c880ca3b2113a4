"""Training on preferences and rewards."""
