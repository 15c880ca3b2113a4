"""Words, names, negation and refusals in texts of several languages."""
