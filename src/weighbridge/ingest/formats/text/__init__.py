"""Plain text, Markdown, source code, notebooks, JSON and CSV."""
