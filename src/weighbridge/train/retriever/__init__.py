"""Training of embedders and rerankers."""
