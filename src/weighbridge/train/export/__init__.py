"""Adapters into files that other programs load."""
