"""A weighing becomes something to read: words, a terminal report, and one self-contained page."""
