"""One function a command: the steps of the picture, joined."""
