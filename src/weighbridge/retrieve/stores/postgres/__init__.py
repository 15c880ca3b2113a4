"""The PostgreSQL store, with pgvector."""
