"""Formulas of Office and the web as linear text."""
