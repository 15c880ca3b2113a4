"""Examples: read, matched with the documents that prove them, split without leaks."""
