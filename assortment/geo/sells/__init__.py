"""What sells in an area: each store's sales spread over the people it serves."""
