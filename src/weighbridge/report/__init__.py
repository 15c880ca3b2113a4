"""Results become tables and pages a person can read."""
