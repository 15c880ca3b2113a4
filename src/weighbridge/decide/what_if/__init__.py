"""What-if: a decision taken with other needs and prices, beside the decision now."""
