"""Values as Excel's number formats display them."""
