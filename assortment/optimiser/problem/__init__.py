"""What is asked: the arrays of a problem, its costs, and how both come from the tables of a chain."""
