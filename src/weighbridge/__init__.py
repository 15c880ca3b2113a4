"""RAG, fine-tuning, or both? Weigh them on your own data, then serve the one that wins."""

__version__ = "0.1.0"
