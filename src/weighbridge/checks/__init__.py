"""Checks after training for regressions: the tuned model is measured against its base."""
