"""The report for those who decide, as a web page."""
