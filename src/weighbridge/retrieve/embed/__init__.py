"""Texts into vectors: local models in several engines, and static vectors."""
