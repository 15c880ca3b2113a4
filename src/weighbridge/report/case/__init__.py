"""A workload as a case: the claims against its figures, and a study of one page."""
