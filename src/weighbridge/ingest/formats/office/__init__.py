"""Word and PowerPoint, and the packages and drawings that all Office files share."""
