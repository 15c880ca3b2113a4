"""One file a format. Each reads a local file into text with its structure in Markdown, and reports the losses."""
