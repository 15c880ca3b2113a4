"""Dates, times and years in texts."""
