"""Who lives in each trade area: counts, rates, margins of error, chain and region."""
