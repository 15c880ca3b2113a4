"""Metrics that need no model."""
