"""Word and PowerPoint, and the package and drawings that all Office files share."""
