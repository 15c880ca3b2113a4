"""Asking for weights: swings, pairs, and presets for usual cases."""
