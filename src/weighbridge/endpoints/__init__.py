"""Endpoints that speak OpenAI's API: their addresses and keys, their limits, and their failures in one sentence."""
