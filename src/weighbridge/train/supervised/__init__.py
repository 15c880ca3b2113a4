"""Supervised fine-tuning of adapters."""
