"""Examples become an adapter, and an adapter becomes a file that is served."""
