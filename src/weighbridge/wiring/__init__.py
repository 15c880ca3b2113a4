"""Settings and a workspace into the parts that run."""
