"""A roll-out plan as text, table, calendar and chart."""
