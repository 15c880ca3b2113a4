"""The default store: SQLite for chunks, FAISS for vectors, BM25 for words."""
