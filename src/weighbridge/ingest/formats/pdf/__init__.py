"""PDF pages and images into text, by position and by OCR."""
