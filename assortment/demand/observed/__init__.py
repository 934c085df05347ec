"""What was seen: offers and purchases, from tills, household baskets and surveys."""
