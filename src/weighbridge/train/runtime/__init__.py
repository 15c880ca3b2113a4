"""The base model, memory, checkpoints and time limits that every training shares."""
