"""The report on a trained adapter: in the terminal, and as a web page."""
