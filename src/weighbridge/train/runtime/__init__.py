"""The base model, memory, devices and time limits that every training shares."""
