"""Money: the price book, the cost of a strategy over years, break-even, and how sure all of it is."""
