"""Why no assortment obeys all rules, in words."""
