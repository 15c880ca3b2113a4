"""Excel workbooks, cells as they are displayed."""
