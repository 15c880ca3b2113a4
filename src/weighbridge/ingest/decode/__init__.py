"""Bytes into text: encodings as browsers know them."""
