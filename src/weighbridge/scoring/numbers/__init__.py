"""Numbers, quantities and units in texts."""
