"""Tells whether an answer is right by comparing its content with references, or sees that it declines."""
