"""Files become documents, documents become chunks, examples are split."""
