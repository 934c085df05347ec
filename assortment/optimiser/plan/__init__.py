"""The answer: a plan, its proof, and what it changes."""
