"""Copies, versions and contradictions among documents."""
