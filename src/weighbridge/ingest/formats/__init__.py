"""One file a format: each reads a local file into text with its structure in Markdown, and says what was lost."""
