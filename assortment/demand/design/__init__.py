"""Products, demographics, prices and weeks as numbers."""
