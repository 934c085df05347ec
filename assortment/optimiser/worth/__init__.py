"""What the rules cost and what a little more room would be worth."""
