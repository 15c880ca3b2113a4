"""After training: what tuning may have spoilt, measured on the tuned model against its base."""
