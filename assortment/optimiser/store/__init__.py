"""One store: what it can carry and earn, the best that a search finds, and a proven bound on it."""
