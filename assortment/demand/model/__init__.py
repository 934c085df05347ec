"""The fitted choice model: tastes, coefficients, and what it says of any store, product and price."""
