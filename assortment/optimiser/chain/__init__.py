"""All stores together: a first plan, its improvement, the prices that set stores free, and the bound."""
