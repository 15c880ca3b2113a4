"""Passages for a question: keyword and vector search, fusion, reranking."""
