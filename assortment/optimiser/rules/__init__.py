"""What an assortment must obey: every rule with its sentence, its linear rows and its check."""
