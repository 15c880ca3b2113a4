"""The commands that train: adapters, preferences, retrievers, hosted jobs."""
