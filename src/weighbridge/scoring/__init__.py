"""Tells whether an answer is right: what it says, whether it declines, and how it compares with a reference."""
