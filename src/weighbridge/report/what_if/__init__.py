"""Decisions taken again from saved files, in the terminal."""
