"""The prior as people read it: in the terminal, and as a page with a form."""
